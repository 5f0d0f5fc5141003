"""`make bench-sight PHOTOS=folder`: what a person is told who asks the embedded model what is in a photo.

A server is started as `make run` does it, and each photo of the folder is sent and asked about as the page would: a
guest's token, an upload, a question, the answer's stream. A file of labels in the folder says what is right:

    {"a.jpg": {"any_of": ["dog"], "also_true": ["sofa"], "text": "EXIT ONLY", "hard": false}}

A photo is right where the answer names one of `any_of` or, of those with `text`, says half of its words of three
letters and more; wrong where it names for certain what is in neither list and nothing right; unsure else. A name behind
"may be" is a guess. On a `hard` photo unsure is right, too.
"""

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.process import family, usage
from bench.stores import await_port, free_port

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "What is in this photo?"
RIGHT, UNSURE, WRONG = "right", "unsure", "wrong"
WORDS = re.compile(r"\w{3,}")
SHOWS = re.compile(r"The photo (?:also )?shows (.*)")


@dataclass(frozen=True)
class Told:
    """What was said about one photo, and when: seconds from the question to its first word and to its end."""

    text: str
    first: float
    whole: float


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A fresh WonderCam with the embedded model: its address and its process."""
    with tempfile.TemporaryDirectory(prefix="bench-sight-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "DEBUG": "1",
            "WONDERCAM_DATA_DIR": folder,
            "WONDERCAM_MODELS": "local/smollm2-135m",
            "WONDERCAM_LIMITS": "0",
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "migrate", "--noinput", "--verbosity", "0"], env=environment, check=True)
        running = subprocess.Popen([*manage, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL)
        try:
            await_port(port, running)
            yield f"http://127.0.0.1:{port}", running.pid
        finally:
            running.terminate()
            running.wait(30)


def called(address: str, token: str, body: bytes, kind: str) -> Any:
    """The response to a POST."""
    headers = {"Content-Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
    return urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=120)


def guest(address: str) -> str:
    """A new guest's access token."""
    token: str = json.load(called(f"{address}/v2/auth/guest", "", b"{}", "application/json"))["access"]
    return token


def told(address: str, token: str, photo: bytes) -> Told:
    """Send a photo, ask, and listen to the end."""
    edge = secrets.token_hex(8)
    head = f'--{edge}\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n\r\n'.encode()
    form = head + photo + f"\r\n--{edge}--\r\n".encode()
    kept = json.load(called(f"{address}/v2/attachments", token, form, f"multipart/form-data; boundary={edge}"))
    asked = json.dumps({"contents": [{"attachment": kept["id"]}, {"text": QUESTION}]}).encode()
    begun, first, text = time.monotonic(), 0.0, ""
    stream = called(f"{address}/v2/echat", token, asked, "application/json")
    for number, event in enumerate(json.loads(line[5:]) for line in stream if line.startswith(b"data: {")):
        if number == 0:
            continue  # the OK
        if "error" in event:
            text += f"[{event['error']['message']}]"
        for candidate in event.get("candidates", ()):
            parts = candidate.get("content", {}).get("parts", ())
            text += "".join(part.get("text", "") for part in parts)
        first = first or (time.monotonic() - begun if text else 0.0)
    return Told(text, first, time.monotonic() - begun)


def named(text: str) -> list[str]:
    """What the answer says for certain that the photo shows, without articles."""
    found = [name for match in SHOWS.findall(text) for name in re.split(r", | and ", match.split(".")[0])]
    return [re.sub(r"^(an?|the) ", "", name.strip()) for name in found if name.strip()]


def holds(text: str, word: str) -> bool:
    """Whether a word, or its plural, stands in a text."""
    return re.search(rf"\b{re.escape(word)}(?:s|es)?\b", text, re.IGNORECASE) is not None


def verdict(text: str, label: dict[str, Any]) -> str:
    """RIGHT, UNSURE or WRONG."""
    if any(holds(text, word) for word in label["any_of"]):
        return RIGHT
    words = set(map(str.lower, WORDS.findall(label.get("text") or "")))
    if words and len(words & set(map(str.lower, WORDS.findall(text)))) * 2 >= len(words):
        return RIGHT
    true = [*label["any_of"], *(label.get("also_true") or ())]
    if any(not any(holds(name, word) for word in true) for name in named(text)):
        return WRONG
    return RIGHT if hard(label) else UNSURE


def hard(label: dict[str, Any]) -> bool:
    """Whether not to be sure is right."""
    return bool(label.get("hard"))


def percentile(values: list[float], share: float) -> float:
    """By the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    """Ask about every photo, print each answer's verdict, then the score."""
    parser = argparse.ArgumentParser(prog="python -m bench.sight", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("photos", type=Path, help="a folder of photos with labels.json")
    folder = parser.parse_args().photos
    labels: dict[str, dict[str, Any]] = json.loads((folder / "labels.json").read_text())
    verdicts, times, most = dict.fromkeys((RIGHT, UNSURE, WRONG), 0), [], 0
    with server() as (address, pid):
        token, before = guest(address), usage(family(pid)).rss
        for name, label in labels.items():
            answer = told(address, token, (folder / name).read_bytes())
            found = verdict(answer.text, label)
            verdicts[found] += 1
            times.append(answer)
            most = max(most, usage(family(pid)).rss)
            said = " ".join(answer.text.split())[:110]
            print(f"{found:7}{answer.first:5.2f}{answer.whole:6.2f} s  {name}{' (hard)' * hard(label)}  {said}")
    firsts, wholes = [each.first for each in times], [each.whole for each in times]
    print(", ".join(f"{count} {what}" for what, count in verdicts.items()), f"of {len(labels)}")
    for what, values in (("first words", firsts), ("whole", wholes)):
        print(f"{what}: p50 {percentile(values, 0.5):.2f} s, p95 {percentile(values, 0.95):.2f} s")
    print(f"memory: {most / 2**20:.0f} MB, {(most - before) / 2**20:.0f} MB more than before the first photo")
    return 0


if __name__ == "__main__":
    sys.exit(main())
