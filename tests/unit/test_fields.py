"""Header fields as the server reads them: to the letter what Twisted's own reading keeps and refuses."""

import errno
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

from wondercam.server.channel import LENGTHS
from wondercam.server.fields import Field, Fields, field_of
from wondercam.server.transport import Port


def by_twisted(line: bytes) -> Field | None:
    """What Twisted's channel makes of the line."""
    channel: Any = HTTPChannel()
    channel.requests = [SimpleNamespace(requestHeaders=Headers())]
    channel._respondToBadRequestAndDisconnect = lambda: None
    if not channel.headerReceived(line):
        return None
    ((name, (value,)),) = channel.requests[0].requestHeaders.getAllRawHeaders()
    return name.lower(), value


LETTERS = some.sampled_from(list(b'aZ-_09:; \t\0\r\n\x0b\x0c\x1c\x85\xff"(~'))
LINES = some.lists(LETTERS, max_size=12).map(bytes)


@given(LINES)
@example(b"Host: a")
@example(b"Host : a")
@example(b":")
@example(b"a")
@example(b"a:")
@example(b"A:  b c\t ")
@example(b"a: b: c")
@example(b"a: b\0")
@example(b"a: b\nc: d")
@example("ä: b".encode())
def test_a_line_is_read_as_twisted_reads_it(line: bytes):
    assert field_of(line) == by_twisted(line)


def test_what_says_how_long_the_body_is_has_a_name_in_small_letters():
    assert [field_of(name + b": 1") for name in LENGTHS.values()] == [(name, b"1") for name in LENGTHS]


def test_fields_keep_their_order_and_are_found_by_any_case():
    fields = Fields()
    fields.pairs += [(b"cookie", b"a"), (b"host", b"b"), (b"cookie", b"c")]

    assert fields.getRawHeaders(b"Cookie") == [b"a", b"c"]
    assert fields.getRawHeaders(b"Expect") is None
    assert fields.getRawHeaders(b"Expect", [b"-"]) == [b"-"]


@pytest.mark.parametrize("wrong", list(b"\x0b\x0c\x1c\x1d\x1e\x85"))
def test_a_value_with_a_control_character_that_may_end_a_line_is_unclean(wrong: int):
    fields = Fields()
    fields.pairs += [(b"a", b"clean \t\xfc"), (b"b", b"")]
    assert fields.are_clean()
    fields.pairs.append((b"c", b"x" + bytes([wrong]) + b"y"))
    assert not fields.are_clean()


def port(answers: Iterator[Any]) -> Any:
    """As much of a listening port as takes connections."""

    def accept() -> Any:
        raise next(answers)

    return SimpleNamespace(most=3, socket=SimpleNamespace(_accept=accept))


def test_an_error_that_only_twisted_can_mend_is_left_to_it():
    assert Port.took_all(port(iter([BlockingIOError(errno.EAGAIN, "")])))
    assert not Port.took_all(port(iter([OSError(errno.EMFILE, "")])))
