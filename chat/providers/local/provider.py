"""`local`: the embedded model, which needs no key and no network: the OpenAI provider for the server in `server.py`.

Its settings:

    LOCAL_SLOTS       concurrent answers (2); others wait in a queue, and their users see their position
    LOCAL_CONTEXT     tokens of a conversation (2048; 8192 for a model that sees photos); older turns are omitted
    LOCAL_THREADS     threads for the model (default: the number of cores minus one)

The settings in `weights.py` name another model than the installed one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from chat.protocol import errors, events
from chat.protocol.prompt import PHOTO_TOKENS, Content, Model, Prompt, text_of
from chat.providers.http.client import Connection
from chat.providers.local import weights
from chat.providers.local.server import Embedded, Running, Shape, threads
from chat.providers.local.slots import Slots
from chat.providers.openai import OpenAI
from chat.providers.settings import Settings, named, text, whole

NAME = "local"
WHO = "The embedded model"
LOADING_AFTER = 5.0
"""After so many seconds of loading the user gets a notice; the installed model usually takes less."""
MOST_TOKENS = 512
CONTEXT, CONTEXT_WITH_PHOTOS = 2048, 8192
ANSWER_SHARE = 4
"""For a model of LOCAL_WEIGHTS, one part in so many of the context is reserved for the answer."""
IS_LOADING = "The embedded model is being loaded: this can take minutes."
TEMPLATE_TOKENS, TURN_TOKENS = 16, 8
MOST_BYTES_A_TOKEN = 16  # average of a long text; a text with more bytes is too long without counting its tokens
SYSTEM = "You are a helpful AI assistant named WonderCam."
SAMPLING: dict[str, Any] = {"temperature": 0.2, "top_p": 0.9, "dry_multiplier": 0.8, "return_progress": True}
"""Found by experiment: longer instructions confuse a model of this size, and only DRY prevents repetitions. Progress is
not shown, but because the server writes it, it notices within 0.3 s that its client has disconnected."""
ONLY_PROGRESS: dict[str, Any] = {"return_progress": True}
"""For a model of LOCAL_WEIGHTS, whose own defaults for sampling apply."""


class Local:
    """The provider of the embedded model: it queues for slots, and cuts prompts to the context."""

    name = NAME
    can_continue = is_local = True

    def __init__(self, embedded: Embedded, connection: Connection | None = None) -> None:
        files, context = embedded.weights, embedded.shape.context
        self._embedded = embedded
        self._connection = connection or Connection()
        self._model = Model(NAME, files.name, files.title, images=files.sees, context=context, functions=False)
        self._sampling = ONLY_PROGRESS if files.given else SAMPLING
        self._most_tokens = context // ANSWER_SHARE if files.given else MOST_TOKENS
        self._slots = Slots(embedded.shape.slots)

    @property
    def slots(self) -> tuple[int, int, int]:
        """(questions that wait for a slot, slots in use, all slots)."""
        return self._slots.waiting, self._slots.used, self._slots.count

    def models(self) -> tuple[Model, ...]:
        """The one model."""
        return (self._model,)

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Pass the answer's chunks to `give`, after notices WAITING while others are ahead, and LOADING. Raises
        ApiError."""
        slot = self._slots.ask()
        try:
            async for ahead in slot.ahead():
                give(events.chunk(events.notice(events.WAITING, waiting(ahead))))
            running = await self._running(give)
            reader = OpenAI(
                self.models(),
                f"{running.address}/v1",
                running.key,
                name=self.name,
                who=WHO,
                connection=self._connection,
                extra=self._sampling,
            )
            context = self._embedded.shape.context
            fitting = await fitted(prompt, context, self._counter(running), self._most_tokens)
            await reader.answer(fitting, give)
        finally:
            slot.release()

    async def count_tokens(self, prompt: Prompt) -> dict[str, Any]:
        """Return `{"totalTokens": …}`: the tokens of text and chat template, photos estimated. Raises ApiError."""
        count = self._counter(await self._running())
        texts = [text for text in (prompt.system or SYSTEM, *map(text_of, prompt.contents)) if text]
        counted = [await count(text) + TURN_TOKENS for text in texts]
        return {"totalTokens": sum(counted) + TEMPLATE_TOKENS + sum(map(photo_tokens, prompt.contents))}

    def _counter(self, running: Running) -> "Count":
        async def count(text: str) -> int:
            url, headers = f"{running.address}/tokenize", {"Authorization": f"Bearer {running.key}"}
            found = await self._connection.post(WHO, url, {"content": text}, headers)
            if not isinstance(found, dict) or not isinstance(tokens := found.get("tokens"), list):
                raise errors.Unavailable(f"{WHO} does not count its tokens.")
            return len(tokens)

        return count

    async def _running(self, give: events.Give | None = None) -> Running:
        loading = asyncio.wrap_future(self._embedded.start())
        loading.add_done_callback(lambda done: done.cancelled() or done.exception())  # retrieved, also if nobody waits
        done, _ = await asyncio.wait([loading], timeout=LOADING_AFTER)
        if give is not None and not done:
            give(events.chunk(events.notice(events.LOADING, IS_LOADING)))
        return await asyncio.shield(loading)

    async def close(self) -> None:
        """Close the connections and end the server."""
        await self._connection.close()
        await asyncio.to_thread(self._embedded.stop)


def waiting(ahead: int) -> str:
    """Return the notice for a user with so many questions ahead in the queue."""
    if ahead == 0:
        return "The embedded model is answering others: you are next."
    return f"The embedded model is answering others: {ahead} ahead of you."


Count = Callable[[str], Awaitable[int]]


async def fitted(prompt: Prompt, context: int, count: Count, most: int = MOST_TOKENS) -> Prompt:
    """Return the prompt cut to the model's context, without the oldest turns, and with a default system prompt.

    `count` returns the tokens of a text; it is only called if an upper bound does not fit. Photos are estimated. `most`
    tokens are reserved for the answer. Raises TooLarge if the newest message alone is too long.
    """
    system = prompt.system or SYSTEM
    wanted = prompt.generation.get("maxOutputTokens")
    most = min(wanted, most) if isinstance(wanted, int) and wanted > 0 else most
    budget = context - most - TEMPLATE_TOKENS
    newest_first = prompt.contents[::-1]
    texts = [system, *map(text_of, newest_first)]
    photos = [0, *map(photo_tokens, newest_first)]
    fit = len(texts)
    if sum(map(guess, texts)) + sum(photos) > budget:
        fit = await fitting(texts, photos, budget, count)
    kept = prompt.contents[len(prompt.contents) - max(0, fit - 1) :]
    if kept and kept[0].get("role") == "model":
        kept = kept[1:]
    if not kept:
        raise errors.TooLarge("This message is too long for the embedded model. Shorten it.")
    generation = {**prompt.generation, "maxOutputTokens": most}
    model = replace(prompt.model, context=None)  # the prompt is cut already: `OpenAI` need not estimate
    return replace(prompt, model=model, system=system, contents=kept, generation=generation)


async def fitting(texts: list[str], photos: list[int], budget: int, count: Count) -> int:
    """Return how many texts fit into `budget` tokens, with the tokens of their photos, counted from the first one."""
    for fit, (said, seen) in enumerate(zip(texts, photos, strict=True)):
        certain = len(said.encode()) // MOST_BYTES_A_TOKEN + seen > budget
        budget -= 0 if certain else await count(said) + TURN_TOKENS + seen
        if certain or budget < 0:
            return fit
    return len(texts)


def guess(text: str) -> int:
    """Return an upper bound of the tokens, including the template's: a token is at least one byte."""
    return len(text.encode()) + TURN_TOKENS


def photo_tokens(content: Content) -> int:
    """Return the estimated tokens of a content's photos; most models take fewer."""
    return sum("inlineData" in part for part in content["parts"]) * PHOTO_TOKENS


def from_settings(settings: Settings) -> Local | None:
    """Return the provider if WONDERCAM_MODELS names it or is unset, else None. Raises ValueError."""
    names = named(settings, "local")
    if not names and text(settings, "WONDERCAM_MODELS"):
        return None
    files = weights.from_settings(settings)
    for name in names:
        if name != files.name:
            raise ValueError(f"WONDERCAM_MODELS names local/{name}: the embedded model is local/{files.name}.")
    shape = Shape(
        slots=whole(settings, "LOCAL_SLOTS", 2, 1),
        context=whole(settings, "LOCAL_CONTEXT", CONTEXT_WITH_PHOTOS if files.sees else CONTEXT, 1024),
        threads=whole(settings, "LOCAL_THREADS", threads(), 1),
    )
    return Local(Embedded(shape, files))
