"""A model that does what the question says: `seed=7 words=40 gap=5 then=stall` is 40 words, 5 ms apart, then silence.

It speaks as OpenAI-compatible servers do: where the last message is the assistant's, it goes on from there, or, with
`then=refuse`, does not. What the words are depends on the seed alone, so a test knows the whole answer without having
heard it from the server under test. From word `hold` on it says a word only when the test lets it (`model.let(1)`):
what is to happen in the middle of an answer then does, however slow the machine is.
"""

import asyncio
import contextlib
import json
import random
import sys
from dataclasses import dataclass

from tests.connections import abort
from tests.fakes.server import Reply, Request, Server

SYLLABLES = ["ba", "né", "ту", "光", "🌍", "\u2028", "data:", "\\u0041", '"', "\n\n", "[DONE]", "<b>", "\t", "e\u0301"]
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
OVERLOADED = {"error": {"message": "overloaded", "type": "overloaded_error", "code": 503}}


def words_of(seed: int, count: int) -> list[str]:
    """The words of one answer: letters of one to four bytes, line ends, and what looks like protocol."""
    dice = random.Random(seed)
    return ["".join(dice.choices(SYLLABLES, k=dice.randint(1, 3))) + str(number) for number in range(count)]


@dataclass(frozen=True)
class Script:
    """What one question asks for. `gap` is in ms, `size` pads each word to so many bytes, `hold` is the first word that
    waits to be let; `then` is how it ends."""

    seed: int = 0
    words: int = 20
    gap: float = 0
    size: int = 0
    hold: int = sys.maxsize
    then: str = "stop"

    @classmethod
    def of(cls, question: str) -> "Script":
        """From `name=value` words; others are ignored."""
        given = dict(word.split("=", 1) for word in question.split() if "=" in word)
        number = {name: int(given[name]) for name in ("seed", "words", "size", "hold") if name in given}
        return cls(**number, gap=float(given.get("gap", 0)), then=given.get("then", "stop"))

    @property
    def text(self) -> str:
        """All that it will say."""
        return "".join(self.said())

    def rest(self, so_far: str) -> list[str]:
        """The words that come behind a text that it has said already."""
        said = self.said()
        return said[next(count for count in range(len(said) + 1) if "".join(said[:count]) == so_far) :]

    def said(self) -> list[str]:
        """Word by word."""
        return [word + "x" * self.size for word in words_of(self.seed, self.words)]


def chunk(text: str | None = None, reason: str | None = None) -> bytes:
    """One chat completion chunk as SSE."""
    delta = {} if text is None else {"content": text}
    data = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


STOP = chunk(None, "stop") + b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\ndata: [DONE]\n\n"

BODIES: dict[str, bytes] = {
    "stop": STOP,
    "refuse": STOP,
    "length": STOP.replace(b'"stop"', b'"length"'),
    "filter": STOP.replace(b'"stop"', b'"content_filter"'),
    "twice": chunk(None, "stop") + STOP,
    "late": chunk(None, "stop") + chunk("late") + b"data: [DONE]\n\n",
    "truncate": b"",
    "done-only": b"data: [DONE]\n\n",
    "mid-json": b'data: {"choices": [{"del',
    "mid-utf8": chunk("🌍")[:-30],
    "error": b"data: " + json.dumps(OVERLOADED).encode() + b"\n\n",
    "error-bare": json.dumps(OVERLOADED, indent=2).encode(),
    "garbage": b"data: <html>it works</html>\n\n",
    "long-line": b"data: " + b"x" * 10_000_000 + b"\n\n",
    "nul": chunk("a\0b") + STOP,
}
"""How the body goes on after the words, when it then ends properly."""


async def play(request: Request, reply: Reply, permits: asyncio.Semaphore) -> None:
    """Answer one question; each word that is held takes a permit."""
    *earlier, last = request.json()["messages"]
    so_far = last["content"] if last["role"] == "assistant" else ""
    content = (earlier[-1] if so_far else last)["content"]
    script = Script.of(content if isinstance(content, str) else " ".join(part.get("text", "") for part in content))
    if script.then.isdigit():
        await reply.whole(int(script.then), {"error": {"message": "no", "code": int(script.then)}}, Retry_After="1")
        return
    if so_far and script.then == "refuse":
        await reply.whole(400, {"error": {"message": "the last message must be the user's"}})
        return
    await reply.head()
    rest = script.rest(so_far)
    for number, word in enumerate(rest, script.words - len(rest)):
        if number >= script.hold:
            await permits.acquire()
        await reply.send(chunk(word))
        if script.gap:
            await asyncio.sleep(script.gap / 1000)
    if script.then == "cut":
        reply.cut()
    elif script.then == "stall":
        await reply.stall()
    elif script.then == "comments":
        while True:
            await reply.send(b": still here\n\n")
            await asyncio.sleep(0.02)
    else:
        await reply.send(BODIES[script.then])
        await reply.end()


class Model(Server):
    """`asked` are the questions as they came; `left` is when each of them was over or its asker went."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(self.talk, port=port)
        self.asked: list[Request] = []
        self.left: list[float] = []
        self._permits = asyncio.Semaphore(0)

    def let(self, words: int = 10_000) -> None:
        """Let so many held words be said; by default, all that are left."""
        for _ in range(words):
            self._permits.release()

    async def talk(self, request: Request, reply: Reply) -> None:
        """A question, or what there is to ask."""
        try:
            if request.method == "GET":
                await reply.whole(200, {"object": "list", "data": [{"id": "script", "object": "model"}]})
                return
            self.asked.append(request)
            await play(request, reply, self._permits)
        finally:
            if request.method != "GET":
                self.left.append(asyncio.get_running_loop().time())
            reply.writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(reply.writer.wait_closed(), 90)  # until all of it is read
            abort(reply.writer)


def upstream(port: int = 0) -> Model:
    """`async with upstream() as model`."""
    return Model(port)
