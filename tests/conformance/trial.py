"""What a check is given, and how it says what it found: it returns, or it raises `Failed` or `Absent`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.conformance.adapter import Adapter, Ask, Call, Received
from tests.conformance.reading import Reading

WAIT = 60.0
"""Seconds after which something that should have come is said not to come."""


class Failed(Exception):
    """The server does otherwise; the sentence says what it did."""


class Absent(Exception):
    """The server has nothing of that kind, or this run cannot try it; the sentence says which."""


@dataclass(frozen=True)
class Finished:
    """An answer that was read to its end by the reader who asked, with nothing in its way."""

    stream: str
    headers: httpx.Headers
    body: bytes
    received: Received


@dataclass
class Trial:
    """One server under test. `restart` kills it as a power cut would and starts it again, where the run can.

    `settling` are the seconds in which a stream says what there is to say at its beginning, `patience` those of silence
    after that which are waited for: proxies close a silent connection after 60 s (nginx, AWS).
    """

    adapter: Adapter
    restart: Callable[[], Awaitable[None]] | None = None
    settling: float = 1.0
    patience: float = 45.0
    _finished: Finished | None = field(default=None, repr=False)

    async def finished(self) -> Finished:
        """One finished answer, the same for all checks that only read."""
        if self._finished is None:
            self._finished = await self.another()
        return self._finished

    @asynccontextmanager
    async def begin(self, ask: Ask | None = None) -> AsyncIterator[Reading]:
        """Begin an answer, and read it from its beginning; by default a short one."""
        async with self.adapter.begin(ask or Ask()) as reading:
            require(reading.status == 200, f"The question was answered with {reading.status}.")
            yield reading

    async def another(self, ask: Ask | None = None) -> Finished:
        """A new answer, read to its end."""
        async with self.begin(ask) as reading:
            received = await reading.to_end()
        require(len(received.items) > 2, f"The answer had {len(received.items)} events; is a model behind the server?")
        return Finished(reading.stream, reading.headers, reading.body, received)

    async def rest(self, stream: str, after: str | None) -> Received:
        """What a reader gets who goes on after a cursor; nothing, where the server says that nothing is left."""
        async with self.adapter.open(self.adapter.following(stream, after), after=after) as reading:
            if not reading.is_event_stream:
                require(reading.status < 500, f"Resuming was answered with {reading.status}.")
                return Received()
            return await reading.to_end()

    async def status(self, call: Call, headers: dict[str, str] | None = None) -> int:
        """The status of an answer whose body does not matter."""
        async with self.adapter.open(call, headers) as reading:
            return reading.status


def require(true: object, otherwise: str) -> None:
    """Failed with that sentence, unless it is so."""
    if not true:
        raise Failed(otherwise)


def same(found: Received, expected: Received, who: str) -> None:
    """Failed, unless a reader got the same events, byte for byte."""
    if found.items == expected.items:
        return
    pairs = enumerate(zip(found.items, expected.items, strict=False))
    place = next((number for number, (one, other) in pairs if one != other), min(len(found.items), len(expected.items)))
    number = f"{len(found.items)} events in place of {len(expected.items)}"
    raise Failed(f"{who} got {number}; the first that differs is event {place}.")


def joined(*parts: Received) -> Received:
    """What a reader has who got these one after the other."""
    last = next((part for part in reversed(parts) if part.cursor is not None), Received())
    items = tuple(item for part in parts for item in part.items)
    return Received(items, last.cursor, next((part.end for part in parts if part.end), ""))
