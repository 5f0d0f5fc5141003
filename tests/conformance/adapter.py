"""How one kind of server is spoken to: which requests begin, read and stop an answer, and what came of a body so far.

An adapter holds no connection and keeps no state of a stream: `received` is a function of bytes, so a check can cut a
body wherever it likes. What a server has no way of doing is None, and the check says so.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

import httpx

from tests.conformance.reading import Reading


@dataclass(frozen=True)
class Ask:
    """One question. `pieces` is about how many events its answer should have, `pause` the seconds between two of them:
    a server before a real model can but hint at either. `key` says that two requests are the same."""

    pieces: int = 24
    pause: float = 0.004
    key: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True)
class Call:
    """One request; `body` is sent as JSON, `content` as it is."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = None


@dataclass(frozen=True)
class Item:
    """One event that a reader keeps. `text` is what it adds to the answer, empty where it adds nothing."""

    id: str
    data: str
    text: str = ""


@dataclass(frozen=True)
class Received:
    """What a body has brought so far: whole events only. `cursor` is where to go on after them, None where nothing has
    come that says so; `end` how the stream said that it ended ("complete", "stopped", "failed"), empty while it has
    not."""

    items: tuple[Item, ...] = ()
    cursor: str | None = None
    end: str = ""

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(item.text for item in self.items)


class Adapter:
    """What the adapter of a kind of server overrides; `options` are the `--option name=value` of the command line.

    `promises` are the checks that this kind of server says it passes, by the name of their function, each with the
    place where it says so; `absent` are those that it leaves to whoever builds on it, each with a sentence.
    """

    name: ClassVar[str] = ""
    promises: ClassVar[Mapping[str, str]] = {}
    absent: ClassVar[Mapping[str, str]] = {}

    def __init__(self, client: httpx.AsyncClient, options: Mapping[str, str]) -> None:
        self.client, self.options = client, options
        self.owner: dict[str, str] = {}
        self.stranger: dict[str, str] | None = None

    async def prepare(self) -> None:
        """Find out who asks: `owner` are the headers that every request carries, `stranger` those of somebody else,
        None where this kind of server knows no users."""

    def asking(self, ask: Ask) -> Call:
        """The request that begins an answer, and whose response is its stream."""
        raise NotImplementedError

    def named(self, ask: Ask, response: httpx.Response) -> str:
        """The name of the stream that the answer to `asking` is."""
        raise NotImplementedError

    def following(self, stream: str, after: str | None = None) -> Call:
        """The request that reads a stream after a cursor, or from its beginning."""
        raise NotImplementedError

    def received(self, body: bytes, after: str | None = None) -> Received:
        """What a body that began after a cursor has brought so far."""
        raise NotImplementedError

    def stopping(self, stream: str) -> Call | None:
        """The request that stops a generation."""
        return None

    cursor_that_is_none: str | None = "no cursor"
    """What no server gave out as a cursor."""

    def cursor_ahead(self, cursor: str) -> str | None:
        """A well-formed cursor of the same stream that lies behind its end; None where cursors cannot be made up."""
        return None

    @asynccontextmanager
    async def begin(self, ask: Ask, headers: Mapping[str, str] | None = None) -> AsyncIterator[Reading]:
        """Begin an answer, and read it from its beginning."""
        async with self.open(self.asking(ask), headers) as reading:
            if reading.status == 200:
                reading.stream = self.named(ask, reading.response)
            yield reading

    @asynccontextmanager
    async def silence(self) -> AsyncIterator[Reading]:
        """A live stream in which nothing happens for longer than a minute."""
        async with self.begin(Ask(pieces=3, pause=120)) as reading:
            yield reading

    @asynccontextmanager
    async def open(
        self, call: Call, headers: Mapping[str, str] | None = None, after: str | None = None
    ) -> AsyncIterator[Reading]:
        """One request as its owner, or with other headers; its body is read as going on after a cursor."""
        sent = {**(self.owner if headers is None else {}), **call.headers, **(headers or {})}
        content = {"content": call.content} if call.content is not None else {"json": call.body}
        kind = content if call.content is not None or call.body is not None else {}
        async with self.client.stream(call.method, call.path, headers=sent, **kind) as response:
            yield Reading(response, lambda body: self.received(body, after))
