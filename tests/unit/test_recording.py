"""Recordings: read back byte for byte; of a damaged file the valid part is read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import events, recording
from chat.protocol.events import Event

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.jsonl"))
HELLO = Path(__file__).parent.parent / "recordings" / "hello.jsonl"


def lines_of(path):
    """A file's lines as bytes, each with its line end."""
    return path.read_bytes().splitlines(keepends=True)


def with_line(number, text):
    """The lines of HELLO with one of them (from 1) replaced."""
    lines = lines_of(HELLO)
    lines[number - 1] = text.encode() + b"\n"
    return lines


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_is_written_as_it_was_read(path):
    read = recording.load(lines_of(path))
    assert read.error is None
    assert read.header["last_seq"] == len(read.events) - 1 > 0
    assert "".join(recording.dump(read.header, read.events)).encode() == path.read_bytes()


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 10**6), st.text(st.characters(exclude_categories=["Cs"])))))
def test_any_text_comes_back_byte_for_byte(said):
    log, at = [], 0
    for seq, (gap, text) in enumerate(said):
        at += gap
        log.append(Event(seq, at, events.encode(events.delta(text))))
    written = "".join(recording.dump({"title": "é\u2028\r\n"}, log))
    read = recording.load(written.encode().splitlines(keepends=True))
    assert (read.header, read.events, read.error) == ({"title": "é\u2028\r\n"}, log, None)


def test_the_first_line_names_the_format_and_its_version():
    head = json.loads(lines_of(HELLO)[0])
    assert list(head)[:2] == ["wondercam", "version"]
    assert (head["wondercam"], head["version"]) == ("recording", 1)


def test_the_order_of_a_headers_keys_does_not_change_the_file():
    one, other = {"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}
    assert list(recording.dump(one, [])) == list(recording.dump(other, []))


def test_a_file_cut_at_any_byte_gives_its_whole_events_and_an_error():
    whole = HELLO.read_bytes()
    expected = recording.load(lines_of(HELLO)).events
    for size in range(len(whole) - 1):
        read = recording.load(whole[:size].splitlines(keepends=True))
        assert read.error, f"cut after {size} bytes, and nothing said so"
        assert read.events == expected[: len(read.events)]
    assert recording.load(whole[:-1].splitlines(keepends=True)).error is None  # only the last line end is missing


def test_lines_missing_at_the_end_are_an_error():
    read = recording.load(lines_of(HELLO)[:-2])
    assert len(read.events) == 15
    assert "its header promises events 0 to 16" in read.error


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", "not a complete event"),
        ("nonsense", "not a complete event"),
        ('{"seq": 3, "at": 1}', "not a complete event"),
        ('{"seq": "3", "at": 1, "data": "{}"}', "not a complete event"),
        ('{"seq": 4, "at": 900000, "data": "{}"}', "event 3 is missing: this is event 4"),
        ('{"seq": 2, "at": 900000, "data": "{}"}', "event 3 is missing: this is event 2"),
        ('{"seq": 3, "at": 1, "data": "{}"}', "event 3 is older than the one before it"),
        ('{"seq": 3, "at": 900000, "data": "[]"}', "not a JSON object on one line"),
        ('{"seq": 3, "at": 900000, "data": "{"}', "not JSON"),
        ('{"seq": 3, "at": 900000, "data": "{}\\n\\ndata: {}"}', "not a JSON object on one line"),
        ('{"seq": 3, "at": 900000, "data": "' + "[" * 100_000 + '"}', "not JSON"),
    ],
)
def test_a_corrupt_line_ends_the_good_part_even_where_good_lines_follow(line, what):
    read = recording.load(with_line(5, line))
    assert [event.seq for event in read.events] == [0, 1, 2]
    assert read.error.startswith("Line 5: ")
    assert what in read.error
    assert read.error.endswith("Good up to here: 3 events.")


def test_bytes_that_are_no_utf_8_end_the_good_part():
    lines = lines_of(HELLO)
    lines[4] = lines[4].replace(b"WonderCam", b"Wonder\xff").replace(b"am", b"\xff")
    read = recording.load(lines)
    assert len(read.events) == 3
    assert read.error


@pytest.mark.parametrize(
    ("first", "what"),
    [
        ('{"wondercam": "recording", "version": 2, "stream": {}}', "version 2, and this WonderCam reads up to 1"),
        ('{"wondercam": "recording", "version": "1", "stream": {}}', "not a whole number"),
        ('{"wondercam": "recording", "version": 0, "stream": {}}', "not a whole number"),
        ('{"wondercam": "recording", "version": 1, "stream": []}', "not a JSON object"),
        ('{"wondercam": "else", "version": 1}', "not a WonderCam recording"),
        ("[]", "not a WonderCam recording"),
        ("GIF89a", "not JSON"),
    ],
)
def test_a_header_that_cannot_be_trusted_gives_no_events(first, what):
    read = recording.load(with_line(1, first))
    assert read.events == []
    assert what in read.error


def test_an_empty_file_is_an_error():
    assert "empty" in recording.load([]).error


def test_text_lines_read_like_bytes():
    with HELLO.open(encoding="utf-8") as file:
        assert recording.load(file) == recording.load(lines_of(HELLO))
