"""The SSE decoder against the standard: its examples at every read size, and a simple reference implementation."""

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import events, sse
from chat.protocol.events import Event
from chat.protocol.sse import Decoder, ServerSentEvent


def decode(body: bytes, size: int | None = None) -> list[ServerSentEvent]:
    """The events of a body that comes in pieces of `size` bytes."""
    decoder = Decoder()
    size = size or max(len(body), 1)
    return [event for at in range(0, len(body), size) for event in decoder.feed(body[at : at + size])]


def said(body: bytes) -> list[tuple[str, str, str, int | None]]:
    """What the events say; the same for every size of read."""
    whole = decode(body)
    for size in range(1, min(len(body), 64) + 1):
        assert decode(body, size) == whole, size
    return [(event.event, event.data, event.id, event.retry) for event in whole]


def data(body: bytes) -> list[str]:
    """The events' data only."""
    return [event[1] for event in said(body)]


# After the cases of web-platform-tests/eventsource/format-*, in words of our own.
CASES: dict[str, tuple[bytes, list[str]]] = {
    "bom": (b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n", ["1", "3"]),
    "two boms": (b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\n", ["2"]),
    "half a bom": (b"\xef\xbbdata:1\n\ndata:2\n\n", ["2"]),
    "comments": (b"data:1\r:\0\n:\r\ndata:2\n:" + b"x" * 300 + b"\rdata:3\n:data:fail\r:" + b"y" * 9 + b"\ndata:4\n\n",
                 ["1\n2\n3\n4"]),
    "data before the final empty line": (b"retry:1000\ndata:test1\n\nid:test\ndata:test2", ["test1"]),
    "data": (b"data:msg\n\ndata\n\ndata:msg2\n\n:data:no\n\ndata\ndata\n\ndata:end\n\n",
             ["msg", "", "msg2", "\n", "end"]),
    "empty data": (b"data:\n\ndata\ndata\n\ndata:test\n\n", ["", "\n", "test"]),
    "leading space": (b"data:\ttest\rdata: \ndata:test\n\n", ["\ttest\n\ntest"]),
    "two leading spaces": (b"data:  test\n\n", [" test"]),
    "newlines": (b"data:test\r\ndata\ndata:test\r\n\r", ["test\n\ntest"]),
    "mixed line ends": (b"data:1\n\rdata:2\r\rdata:3\r\n\r\ndata:4\r\n\ndata:5\n\r\n", ["1", "2", "3", "4", "5"]),
    "null character": (b"data:\0\n\n\n\n", ["\0"]),
    "utf-8": ("data:ok…🌍\n\n".encode(), ["ok…🌍"]),
    "broken utf-8": (b"data:a\xff\xf0\x9f\n\n", ["a\ufffd\ufffd"]),
    "line separators of other worlds": ("data:a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode(),
                                        ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"]),
    "unknown fields": (b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\nDATA:no\n\n",
                       ["test\n"]),
    "no event without data": (b"event:x\nid:1\n\n\n\ndata:y\n\n", ["y"]),
    "nothing": (b"", []),
    "only a bom": (b"\xef\xbb\xbf", []),
    "colons": (b"data:a:b: c\n\n", ["a:b: c"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_data_is_read_as_the_standard_says(case: str) -> None:
    body, expected = CASES[case]
    assert data(body) == expected


def test_an_event_has_the_name_given_and_the_next_one_has_none() -> None:
    body = b"event:test\ndata:x\n\ndata:x\n\nevent:\ndata:y\n\nevent: a\nevent: b\ndata:z\n\n"
    assert [event[0] for event in said(body)] == ["test", "message", "message", "b"]


def test_a_name_does_not_pass_an_event_without_data() -> None:
    assert [event[0] for event in said(b"event:test\n\ndata:x\n\n")] == ["message"]


def test_an_id_stays_until_the_next_one() -> None:
    body = b"id: 1\ndata:a\n\ndata:b\n\nid\ndata:c\n\nid: \xe2\x80\xa6\ndata:d\n\nid:2\n\ndata:e\n\n"
    assert [event[2] for event in said(body)] == ["1", "1", "", "…", "2"]


def test_an_id_with_a_nul_is_ignored() -> None:
    assert [event[2] for event in said(b"id:1\nid:2\0x\ndata:a\n\n")] == ["1"]


RETRIES = [(b"3000", 3000), (b" 3000", 3000), (b"03000", 3000), (b"0", 0), (b"1000x", None), (b"-5", None)]
RETRIES += [(b"", None), (b"1.5", None), (b"\xd9\xa3", None), (b"9" * 5000, None), (b"  1", None), (b"1 ", None)]


@pytest.mark.parametrize(("value", "expected"), RETRIES)
def test_a_retry_is_ascii_digits_and_nothing_else(value: bytes, expected: int | None) -> None:
    assert decode(b"retry:" + value + b"\ndata:x\n\n")[0].retry == expected


def test_a_retry_without_data_is_told_with_the_next_event() -> None:
    assert [event[3] for event in said(b"retry: 7\n\ndata:a\n\ndata:b\n\n")] == [7, None]


def test_a_retry_is_told_once_also_where_each_event_is_a_read_of_its_own() -> None:
    decoder = Decoder()
    reads = (b"retry: 7\n\n", b"data: a\n\n", b"data: b\n\n")
    assert [event.retry for read in reads for event in decoder.feed(read)] == [7, None]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_is_given_with_the_byte_that_completes_it(end: bytes) -> None:
    decoder = Decoder()
    body = b"data:x" + end + end
    needed = len(body) - (1 if end == b"\r\n" else 0)  # the CR has already ended the line
    assert decoder.feed(body[: needed - 1]) == []
    assert [event.data for event in decoder.feed(body[needed - 1 :])] == ["x"]


@pytest.mark.parametrize("body", [b"data:" + b"x" * 2000, b"data:" + b"x" * 2000 + b"\n\n", b"data:123456789\n" * 200])
@pytest.mark.parametrize("size", [1, 100, 5000])
def test_a_line_or_event_over_the_bound_is_an_error_then_and_ever_after(body: bytes, size: int) -> None:
    decoder = Decoder(max_size=1000)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        [decoder.feed(piece) for piece in pieces]
    with pytest.raises(sse.StreamTooLarge):
        decoder.feed(b"data:fine\n\n")


def test_comments_are_bounded_by_the_line_only() -> None:
    decoder = Decoder(max_size=1000)
    for _ in range(1000):
        assert decoder.feed(b":" + b"c" * 500 + b"\n") == []
    assert decoder.feed(b"data:x\n\n")[0].data == "x"


def test_a_long_line_in_small_reads_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        decoder = Decoder()
        body = b"data:" + b"x" * size + b"\n\n"
        start = time.process_time()
        for at in range(0, len(body), 64):
            decoder.feed(body[at : at + 64])
        return time.process_time() - start

    small = min(seconds(250_000) for _ in range(3))
    assert min(seconds(2_000_000) for _ in range(3)) < 8 * 4 * small


def obvious(body: bytes) -> list[tuple[str, str, str, int | None]]:
    """The standard's own steps, one after the other, on the whole stream."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, _unfinished = re.split("\r\n|\r|\n", text)
    found: list[tuple[str, str, str, int | None]] = []
    buffer, name, last_id = "", "", ""
    retry: int | None = None
    for line in lines:
        if line == "":
            if buffer:
                found.append((name or "message", buffer[:-1], last_id, retry))
                retry = None
            buffer, name = "", ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            buffer += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
        elif field == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return found


pieces = st.sampled_from(
    [
        b"data",
        b"event",
        b"id",
        b"retry",
        b":",
        b": ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b" ",
        b"x",
        b"12",
        b"\0",
        b"\xef\xbb\xbf",
        "\u2028".encode(),
        "🌍".encode(),
        b"\xf0\x9f",
        b"\xff",
        b"data: {}\n\n",
    ]
)


@pytest.mark.slow
@given(st.lists(pieces, max_size=60).map(b"".join), st.data())
def test_whatever_the_bytes_and_the_reads_the_events_are_the_standards(body: bytes, draw: st.DataObject) -> None:
    decoder, found, rest = Decoder(), [], body
    while rest:
        size = draw.draw(st.integers(1, len(rest)))
        found += decoder.feed(rest[:size])
        rest = rest[size:]
    assert [(event.event, event.data, event.id, event.retry) for event in found] == obvious(body)


def test_what_we_send_is_what_a_reader_gets() -> None:
    text = "a\u2028b\r\nc 🌍 \x00"
    sent = [Event(0, 5, events.OK_DATA), Event(1, 9, events.encode(events.delta(text)))]
    body = sse.PRELUDE + b"".join(sse.encode("5f0c", event) for event in sent) + sse.HEARTBEAT + sse.DONE
    assert body.startswith(
        b'retry: 1000\nid: 5f0c:0\ndata: {"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}\n\n'
    )
    first, second, done = said(body)
    assert first == ("message", events.OK_DATA, "5f0c:0", 1000)
    assert second[2] == "5f0c:1"
    assert events.text_of(json.loads(second[1])) == text
    assert done[1] == events.DONE
