"""Other file formats for recordings. Each contains the recording's JSON lines, so that it is restored byte for byte.

    .html    a page that plays it, without a server or a network
    .cast    an asciicast v3 (https://docs.asciinema.org/manual/asciicast/v3/), the lines as comments
    .zip     recording.jsonl, and the photos and sounds that its question names

`lines_of` reads the lines from any of them. Names in a file are never used as paths.
"""

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.template.loader import render_to_string

from chat.management.terminal import shown
from chat.protocol import events

COLUMNS, ROWS = 100, 30
"""The terminal size of a cast."""

CLEARED = "\x1b[2J\x1b[H"
"""Clears the screen, when an answer restarts."""

ENTRY = "recording.jsonl"
LARGEST_ENTRY = 512 * 1024 * 1024
FIXED = (1980, 1, 1, 0, 0, 0)
"""The date of every entry, so that equal recordings make equal files."""

EMBEDDED = re.compile(rb'<script type="application/json" id="recording">(.*?)</script>', re.DOTALL)
MARKUP = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
"""Characters that could end the script element, with their JSON escapes."""


class NotARecording(ValueError):
    """A file of one of these formats has no recording; the message says so."""


def html(lines: Iterable[str], title: str) -> str:
    """Return the page. Recorded text is never markup, and the page's policy blocks other scripts and all requests."""
    style, script = render_to_string("recordings/player.css"), render_to_string("recordings/player.js")
    recording = json.dumps("".join(lines), ensure_ascii=False).translate(MARKUP)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    words = {"policy": policy, "title": title, "style": style, "script": script, "recording": recording}
    return render_to_string("recordings/player.html", words)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def cast(lines: Iterable[str], title: str) -> Iterator[str]:
    """Yield the lines of the cast: each recorded line as a comment, then its text with escaped control characters."""
    head = {"version": 3, "term": {"cols": COLUMNS, "rows": ROWS}, "title": title}
    yield json.dumps(head, ensure_ascii=False) + "\n"
    before = 0
    for number, line in enumerate(lines):
        yield f"# {line}"
        if number == 0:
            continue
        event = json.loads(line)
        response = events.decode(event["data"]) if event["seq"] else {}
        text = events.text_of(response)
        if text or events.begins_anew(response):
            on_screen = CLEARED if events.begins_anew(response) else ""
            on_screen += shown(text).replace("\r\n", "\n").replace("\n", "\r\n")
            yield json.dumps([round((event["at"] - before) / 1e6, 6), "o", on_screen], ensure_ascii=False) + "\n"
            before = event["at"]


def zipped(lines: Iterable[str], media: Iterable[tuple[str, bytes]], to: IO[bytes]) -> None:
    """Write a zip file with the recording and its photos and sounds, as (path, bytes)."""
    with zipfile.ZipFile(to, "w") as file:
        with file.open(_entry(ENTRY, zipfile.ZIP_DEFLATED), "w") as entry:
            for line in lines:
                entry.write(line.encode())
        for name, data in media:
            file.writestr(_entry(name, zipfile.ZIP_STORED), data)


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, FIXED)
    made.compress_type = method
    made.external_attr = 0o600 << 16
    return made


def lines_of(file: io.BufferedReader) -> Iterable[bytes]:
    """Return the recording's lines in a file of any format. Raises NotARecording."""
    head = file.peek(64)  # a pipe cannot be rewound
    if head.startswith(b"PK"):
        return io.BytesIO(_read(file, ENTRY))
    if head.lower().startswith(b"<!doctype html"):
        found = EMBEDDED.search(file.read())
        if found is None:
            raise NotARecording("this page holds no recording")
        return io.BytesIO(str(json.loads(found[1])).encode())
    if re.match(rb'\{\s*"version"', head):
        return (line[2:] for line in file if line.startswith(b"# "))
    return file


def media_of(file: IO[bytes], names: Iterable[str], most: int) -> dict[str, bytes]:
    """Return the photos and sounds with these paths in a zip file, at most `most` bytes each; {} for other files."""
    if not zipfile.is_zipfile(file):
        return {}
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = _read(file, name, most)
        except NotARecording:
            continue
    return found


def _read(file: IO[bytes], name: str, most: int = LARGEST_ENTRY) -> bytes:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(name) as entry:
            data = entry.read(most + 1)
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError) as wrong:
        raise NotARecording(f"the zip file has no {name} that can be read ({wrong})") from None
    if len(data) > most:
        raise NotARecording(f"{name} has more than {most:,} bytes")
    return data
