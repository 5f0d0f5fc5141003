"""A small server that passes every check, and that can be told to fail each: what the checks themselves are tried with.

    POST /answers {"key", "pieces", "pause"}    begins an answer, whose response is its stream
    GET /answers/<stream>                       follows it after `Last-Event-ID`; 204 when nothing is left to come
    POST /answers/<stream>/stop                 stops it

The header `User` says who asks. Nothing here is for use: streams live in memory, for as long as the server does.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.server import Reply, Request, Server

HEADERS = {"Cache_Control": "no-cache, no-transform", "X_Accel_Buffering": "no"}
HEARTBEAT = 0.05


@dataclass
class Answer:
    """One stream: its events as their readers get them, and what wakes those who wait for more."""

    stream: str
    user: str
    key: str
    pieces: int
    pause: float
    events: list[bytes] = field(default_factory=list)
    ended: bool = False
    stopped: bool = False
    joined: int = 0
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def say(self, data: dict[str, Any], ended: bool = False) -> None:
        """One event more."""
        async with self.more:
            id = f"{self.stream}:{len(self.events)}"
            self.events.append(f"id: {id}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode())
            self.ended = ended
            self.more.notify_all()


class Sample(Server):
    """`async with Sample() as server`, or `Sample("a fault")`: the faults are named where they happen."""

    def __init__(self, fault: str = "") -> None:
        super().__init__(self.answer)
        self.fault = fault
        self.answers: dict[str, Answer] = {}
        self._generating: set[asyncio.Task[None]] = set()

    async def restart(self) -> None:
        """As if it had been killed and started again: it forgets nothing, or all."""
        if self.fault == "forgets when killed":
            self.answers.clear()

    async def answer(self, request: Request, reply: Reply) -> None:
        """One request."""
        user, (_, *names) = request.headers.get("user", ""), request.target.strip("/").split("/")
        if not names:
            await self.read(self.begun(user, request), request, reply)
            return
        found = self.answers.get(names[0])
        if self.fault == "invents streams" and found is None:
            found = Answer(names[0], user, "", 0, 0, ended=True)
        if found is None or (found.user != user and self.fault != "shows all to all"):
            await reply.whole(404, {"error": "There is no such stream."})
        elif names[1:] == ["stop"]:
            await self.stop(found, reply)
        else:
            await self.read(found, request, reply)

    def begun(self, user: str, request: Request) -> Answer:
        """A new answer, or the one of the same key."""
        asked = request.json()
        before = [found for found in self.answers.values() if (found.user, found.key) == (user, asked["key"])]
        if before and self.fault != "answers twice":
            return before[0]
        found = Answer(f"s{len(self.answers)}", user, asked["key"], asked["pieces"], asked["pause"])
        self.answers[found.stream] = found
        task = asyncio.create_task(self.generate(found))
        self._generating.add(task)
        task.add_done_callback(self._generating.discard)
        return found

    async def generate(self, found: Answer) -> None:
        """The model: an acknowledgement, words, an end."""
        await found.say({"text": "word"} if self.fault == "acknowledges nothing" else {"ok": True})
        deaf = self.fault == "does not stop"
        for number in range(min(found.pieces, 40) if deaf else found.pieces):
            await asyncio.sleep(found.pause)
            if found.stopped and not deaf:
                await found.say({"end": "stopped"}, ended=True)
                return
            await found.say({"text": f"🌍 {number} "})
        await found.say({"end": "complete"}, ended=True)

    async def stop(self, found: Answer, reply: Reply) -> None:
        """Stop it, as often as one likes."""
        if found.stopped and self.fault == "stops once only":
            await reply.whole(409, {"error": "It was stopped before."})
            return
        found.stopped = True
        await reply.whole(200, {})

    async def read(self, found: Answer, request: Request, reply: Reply) -> None:
        """The stream after a cursor, to its end."""
        last = "" if self.fault == "ignores Last-Event-ID" else request.headers.get("last-event-id", "")
        name, _, number = last.rpartition(":")
        place = int(number) + 1 if number.isdigit() else 0
        if last and not number.isdigit() and self.fault != "takes anything for a cursor":
            await reply.whole(400, {"error": "That is no cursor."})
        elif last and name != found.stream and self.fault not in ("takes any cursor", "takes anything for a cursor"):
            await reply.whole(400, {"error": "That is another stream's cursor."})
        elif place > len(found.events) and found.events and self.fault != "waits for what never comes":
            await reply.whole(400, {"error": "There was no such event."})
        elif found.ended and place >= len(found.events) and self.fault not in ("never says 204", "invents streams"):
            await reply.whole(204, b"")
        elif found.ended and self.fault == "forgets what has ended":
            await reply.whole(404, {"error": "It is over."})
        else:
            await self.stream(found, place, bool(last), reply)

    async def stream(self, found: Answer, place: int, resumed: bool, reply: Reply) -> None:
        """Events from a place on."""
        headers = {"X_Stream": found.stream, **HEADERS}
        if self.fault in BAD_HEADERS:
            headers |= BAD_HEADERS[self.fault]
        kind = "text/plain" if self.fault == "says it is text" else "text/event-stream"
        await reply.head(200, kind, **headers)
        if resumed:
            place += {"loses one": 1, "doubles one": -1}.get(self.fault, 0)
        found.joined += 1
        first = found.joined == 1
        try:
            if not first and self.fault == "shows late readers the rest only":
                place = len(found.events)
            async for event in self.events(found, place):
                await reply.send(self.changed(event, first, resumed))
            await reply.send(b"" if self.fault == "does not say the end" else b"data: [DONE]\n\n")
            await reply.end()
        finally:
            found.stopped |= self.fault == "stops when left" and first

    async def events(self, found: Answer, place: int) -> AsyncIterator[bytes]:
        """Each event, or a comment after silence."""
        while True:
            while place < len(found.events):
                yield found.events[place]
                place += 1
            if found.ended:
                return
            try:
                async with found.more, asyncio.timeout(HEARTBEAT):
                    if place == len(found.events):  # the end is an event, too
                        await found.more.wait()
            except TimeoutError:
                if self.fault != "has no heartbeat":
                    yield b": \n\n"

    def changed(self, event: bytes, first: bool, resumed: bool) -> bytes:
        """What reaches the reader of it."""
        if self.fault == "gives no ids":
            return event.partition(b"\n")[2]
        if self.fault == "gives one id to all":
            return event.replace(event.partition(b"\n")[0], b"id: 1", 1)
        if (self.fault == "writes it anew" and resumed) or (self.fault == "shows two readers two things" and not first):
            return event.replace(b'": ', b'":')
        return event


BAD_HEADERS = {
    "may be kept": {"Cache_Control": "max-age=60"},
    "may be changed": {"Cache_Control": "no-cache"},
    "may be gathered": {"X_Accel_Buffering": "yes"},
    "is compressed": {"Content_Encoding": "gzip"},
}
