"""The portable file of a recorded stream: JSON lines, one header, then one line an event.

    {"wondercam": "recording", "version": 1, "stream": {"id": …, "model": …, "last_seq": …, …}}
    {"seq": 0, "at": 812, "data": "{\\"candidates\\": …}"}
    …

`data` is the event's line of JSON as a string, not as an object: so it comes back byte for byte, spaces
included. `at` is in µs since the stream began. `stream` is what is known about it; every field is optional
here, `last_seq` lets a reader see that whole lines are missing at the end.

A file that is cut or corrupt is read as far as it is good: the events before the fault, and a sentence
about the fault. Nothing after it is trusted, not even a line that looks sound.
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
    """What a file holds: `header` is its `stream` object, `events` the good prefix, `error` the fault, if any."""

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
    """The file's lines, each with its line end: equal input, equal bytes. `stream` must be plain JSON types."""
    yield f'{{"wondercam":"{FORMAT}","version":{VERSION},"stream":{_sorted.encode(dict(stream)).decode()}}}\n'
    for event in events:
        yield _encoder.encode({"seq": event.seq, "at": event.at, "data": event.data}).decode() + "\n"


def load(lines: Iterable[str | bytes]) -> Recording:
    """Read a file's lines (UTF-8 where they are bytes). Never raises: `error` says where the good part ends and why."""
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
        recording.error = f"Line {number + 1}: this is no UTF-8. Good up to here: {_count(len(recording.events))}."
    return recording


def _header(line: str | bytes) -> dict[str, Any]:
    head = _json(line)
    if not isinstance(head, dict) or head.get("wondercam") != FORMAT:
        raise _Fault('this is no WonderCam recording, whose first line begins with {"wondercam": "recording"')
    version = head.get("version")
    if type(version) is not int or version < 1:
        raise _Fault(f"the format version is {version!r}, which is no whole number from 1 up")
    if version > VERSION:
        raise _Fault(f"the recording has format version {version}, and this WonderCam reads up to {VERSION}")
    stream = head.get("stream", {})
    if not isinstance(stream, dict):
        raise _Fault("the header's stream is no JSON object")
    return stream


def _event(line: str | bytes, before: list[Event]) -> Event:
    try:
        read = _line.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as wrong:
        raise _Fault(f"this is no whole event ({wrong})") from None
    if read.seq != len(before):
        raise _Fault(f"event {len(before)} is missing, here is event {read.seq}")
    if read.at < (before[-1].at if before else 0):
        raise _Fault(f"event {read.seq} is older than the one before it")
    if "\n" in read.data or "\r" in read.data or not isinstance(_json(read.data), dict):
        raise _Fault(f"the data of event {read.seq} is no JSON object on one line")
    return Event(read.seq, read.at, read.data)


def _json(line: str | bytes) -> Any:
    try:
        return _any.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as wrong:
        raise _Fault(f"this is no JSON ({wrong})") from None


def _check_end(recording: Recording) -> None:
    last_seq = recording.header.get("last_seq")
    if isinstance(last_seq, int) and len(recording.events) <= last_seq:
        raise _Fault(f"the recording is cut here, its header promises events 0 to {last_seq}")


def _count(number: int) -> str:
    return f"{number} event" if number == 1 else f"{number} events"
