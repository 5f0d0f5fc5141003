"""The file format of a recorded stream: JSON lines, a header and then one line per event.

    {"wondercam": "recording", "version": 1, "stream": {"id": …, "model": …, "last_seq": …, …}}
    {"seq": 0, "at": 812, "data": "{\\"candidates\\": …}"}
    …

`data` is the event's line of JSON as a string, not as an object, so that it is restored byte for byte. `at` is in µs
since the stream began. `stream` describes it; all its fields are optional, and `last_seq` tells whether lines are
missing at the end.

A file that is cut or corrupt is read up to the fault: the events before it, and a sentence about it. What follows the
fault is ignored, even lines that look valid.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chat.protocol.events import Event

FORMAT = "recording"
VERSION = 1


@dataclass(slots=True)
class Recording:
    """The contents of a file: `header` is its `stream` object, `events` those before the `error`, if any."""

    header: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    error: str | None = None


class _Line(msgspec.Struct):
    seq: int
    at: int
    data: str


_encoder = msgspec.json.Encoder()
_sorted = msgspec.json.Encoder(order="sorted")  # databases order an object's keys as they like
_any = msgspec.json.Decoder()
_line = msgspec.json.Decoder(_Line)


class _Fault(Exception):
    """A sentence about what is wrong with the line being read."""


def dump(stream: Mapping[str, Any], events: Iterable[Event]) -> Iterator[str]:
    """The lines of the file, with line ends; equal input gives equal bytes. `stream` must have plain JSON types."""
    yield f'{{"wondercam":"{FORMAT}","version":{VERSION},"stream":{_sorted.encode(dict(stream)).decode()}}}\n'
    for event in events:
        yield _encoder.encode({"seq": event.seq, "at": event.at, "data": event.data}).decode() + "\n"


def load(lines: Iterable[str | bytes]) -> Recording:
    """Read the lines of a file (bytes are UTF-8). Raises nothing: `error` says where and why reading stopped."""
    recording = Recording()
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if number == 1:
                recording.header = _header(line)
            else:
                recording.events.append(_event(line, recording.events))
        if number == 0:
            raise _Fault("the file is empty")
        _check_end(recording)
    except _Fault as fault:
        where = f"Line {number}" if number else "Line 1"
        recording.error = f"{where}: {fault}. Good up to here: {_count(len(recording.events))}."
    except UnicodeDecodeError:
        recording.error = f"Line {number + 1}: this is not UTF-8. Good up to here: {_count(len(recording.events))}."
    return recording


def _header(line: str | bytes) -> dict[str, Any]:
    head = _json(line)
    if not isinstance(head, dict) or head.get("wondercam") != FORMAT:
        raise _Fault('this is not a WonderCam recording, whose first line begins with {"wondercam": "recording"')
    version = head.get("version")
    if type(version) is not int or version < 1:
        raise _Fault(f"the format version is {version!r}, which is not a whole number from 1 up")
    if version > VERSION:
        raise _Fault(f"the recording has format version {version}, and this WonderCam reads up to {VERSION}")
    stream = head.get("stream", {})
    if not isinstance(stream, dict):
        raise _Fault("the header's `stream` is not a JSON object")
    return stream


def _event(line: str | bytes, before: list[Event]) -> Event:
    try:
        read = _line.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as wrong:
        raise _Fault(f"this is not a complete event ({wrong})") from None
    if read.seq != len(before):
        raise _Fault(f"event {len(before)} is missing: this is event {read.seq}")
    if read.at < (before[-1].at if before else 0):
        raise _Fault(f"event {read.seq} is older than the one before it")
    if "\n" in read.data or "\r" in read.data or not isinstance(_json(read.data), dict):
        raise _Fault(f"the data of event {read.seq} is not a JSON object on one line")
    return Event(read.seq, read.at, read.data)


def _json(line: str | bytes) -> Any:
    try:
        return _any.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as wrong:
        raise _Fault(f"this is not JSON ({wrong})") from None


def _check_end(recording: Recording) -> None:
    last_seq = recording.header.get("last_seq")
    if isinstance(last_seq, int) and len(recording.events) <= last_seq:
        raise _Fault(f"the recording ends here, but its header promises events 0 to {last_seq}")


def _count(number: int) -> str:
    return f"{number} event" if number == 1 else f"{number} events"
