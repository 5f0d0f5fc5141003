"""A simulated model that says one text, a word at a time, and goes on where its last message leaves off."""

import asyncio
import re

from tests.fakes.server import Play, Reply, Request
from tests.faults import arena
from tests.faults.upstream import chunk

WORD_SECONDS = 0.06


def environment(url: str, **more: str) -> dict[str, str]:
    """The settings of a server whose one model it is, and whose answers other workers may continue."""
    return arena.environment(url, WONDERCAM_MODELS="openai/simulated", WONDERCAM_CONTINUE="all", **more)


def says(text: str) -> Play:
    """What answers each question with this text."""

    async def talk(request: Request, reply: Reply) -> None:
        if request.method == "GET":
            await reply.whole(200, {"object": "list", "data": [{"id": "simulated", "object": "model"}]})
            return
        last = request.json()["messages"][-1]
        said = last["content"] if last["role"] == "assistant" else ""
        await reply.head()
        for word in re.findall(r"\s*\S+", text.removeprefix(said)):
            await reply.send(chunk(word))
            await asyncio.sleep(WORD_SECONDS)
        await reply.send(chunk(None, "stop") + b"data: [DONE]\n\n")
        await reply.end()

    return talk
