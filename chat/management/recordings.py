"""Reads the files of recordings, in all formats."""

import re
from pathlib import Path

from django.core.management.base import CommandError

from chat.attachments import most_bytes, name_of
from chat.management import aimock, carriers
from chat.protocol import recording
from chat.protocol.prompt import type_of
from chat.protocol.recording import Recording

OTHER_JSON = re.compile(rb'\s*\{\s*"(?!wondercam"|version")')
"""The beginning of JSON that is neither a recording nor a cast: possibly aimock's."""


def load(name: str) -> Recording:
    """Read a recording from a file of any format that `export_stream` writes. Raises CommandError if it cannot be read,
    and for a file of several fixtures."""
    first, *more = load_all(name)
    if more:
        raise CommandError(f"{name} holds {len(more) + 1} fixtures: import_stream stores each as a stream.")
    return first


def load_all(name: str) -> list[Recording]:
    """Read a recording as `load` does, or all fixtures of a file of aimock. Raises CommandError."""
    if name == "-":
        raise CommandError("Recordings are not read from standard input: name a file (./- if that is its name).")
    try:
        with Path(name).open("rb") as file:
            fixtures = aimock.fixtures_of(file.read()) if OTHER_JSON.match(file.peek(64)) else None
            if fixtures:
                return [aimock.recording_of(fixture, number) for number, fixture in enumerate(fixtures, 1)]
            file.seek(0)
            return [recording.load(carriers.lines_of(file))]
    except FileNotFoundError:
        raise CommandError(f"There is no file {name}.") from None
    except (OSError, ValueError) as wrong:
        raise CommandError(f"{name} cannot be read: {getattr(wrong, 'strerror', None) or wrong}.") from None


def media(name: str, read: Recording) -> dict[str, bytes]:
    """Return the photos and sounds in a recording's file, by their ids in its question."""
    parts = read.header.get("question")
    said = [part for part in parts or () if isinstance(part, dict) and "attachment" in part]
    ids = {name_of(part["attachment"], type_of(part)): str(part["attachment"]) for part in said}
    with Path(name).open("rb") as file:
        found = carriers.media_of(file, ids, max(map(most_bytes, ("photo", "sound"))))
    return {ids[entry]: data for entry, data in found.items()}
