"""The upstreams: one file each, found by the model's id, all asked through `answer`.

    prompt → answer → policy (deadlines, retries, breaker) → a provider's own answer → its server
               └── the fallback model, where the first one has failed before its first content

A provider is a file with `from_settings(settings)` and a line in PROVIDERS. It knows neither Django nor the
database; it gets a `Prompt`, gives responses in Gemini's shape, and raises `chat.protocol.errors` where it cannot.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol, runtime_checkable

from chat.protocol import errors, events
from chat.protocol.events import Give, Response
from chat.protocol.prompt import Model, Prompt
from chat.providers import gemini, openai, policy, recording, vertex
from chat.providers.advice import advised
from chat.providers.breaker import Breaker
from chat.providers.local import provider as local
from chat.providers.settings import Settings, items
from chat.providers.vision import sight

log = logging.getLogger(__name__)


class Provider(Protocol):
    """One upstream."""

    name: str

    def models(self) -> tuple[Model, ...]:
        """What is configured; no I/O."""
        ...

    async def answer(self, prompt: Prompt, give: Give) -> None:
        """Give the answer's chunks as they come, the last one with a reason. Raises ApiError; to cancel it stops it."""
        ...

    async def close(self) -> None:
        """Let go of connections and processes."""
        ...


@runtime_checkable
class Discovering(Protocol):
    """A provider whose server can be asked for its models."""

    async def discover(self) -> None:
        """Learn them; raises ApiError."""
        ...


PROVIDERS: tuple[Callable[[Settings], Provider | None], ...] = (
    vertex.from_settings,
    gemini.from_settings,
    openai.from_settings,
    recording.from_settings,
    local.from_settings,
)
"""Every provider there is; without WONDERCAM_MODELS their models are offered in this order, `local` if alone."""


class Catalogue:
    """What is configured: the providers, their models in order, how patient we are, and who stands in for whom."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.sight = sight.from_settings(settings)
        self.patience = policy.Patience.from_settings(settings)
        named = items(settings, "WONDERCAM_MODELS")
        self.free = not named
        self.wanted = [item for item in named if not item.endswith("/*")]
        self.providers = [provider for make in PROVIDERS if (provider := make(settings)) is not None]
        self.breakers: defaultdict[str, Breaker] = defaultdict(Breaker)
        self.models: dict[str, tuple[Provider, Model]] = {}
        self.gather()
        self.fallbacks = dict(fallback(item) for item in items(settings, "WONDERCAM_FALLBACKS"))
        for name in (*self.fallbacks, *self.fallbacks.values()):
            if name not in self.models:
                raise ValueError(f"WONDERCAM_FALLBACKS names {name}, which is no model of this server.")

    def gather(self) -> None:
        """Ask the providers for their models again. Raises ValueError where a wanted one is missing."""
        found = {model.id: (provider, model) for provider in self.providers for model in provider.models()}
        for item in self.wanted:
            if item not in found:
                raise ValueError(f"WONDERCAM_MODELS names {item}, and no provider of that name is configured.")
        if self.free:
            found = {name: pair for name, pair in found.items() if pair[0].name != local.NAME} or found
        self.models = {name: found[name] for name in dict.fromkeys([*self.wanted, *found])}


_catalogue: Catalogue | None = None


def configure(settings: Mapping[str, str]) -> None:
    """Build the providers that the settings configure. Raises ValueError with a sentence that names the variable."""
    global _catalogue
    _catalogue = Catalogue(settings)


def configured() -> Catalogue:
    """What `configure` built; Unavailable before it has."""
    if _catalogue is None or not _catalogue.models:
        raise errors.Unavailable("No model is configured on this server.")
    return _catalogue


def fallback(item: str) -> tuple[str, str]:
    """`a/b=c/d` as a pair."""
    first, sign, second = (part.strip() for part in item.partition("="))
    if not (first and sign and second):
        raise ValueError(f"WONDERCAM_FALLBACKS holds {item!r}: write provider/model=provider/model.")
    return first, second


def catalogue() -> tuple[Model, ...]:
    """All models, the default first."""
    return tuple(model for _, model in configured().models.values())


def find(model_id: str | None) -> tuple[Provider, Model]:
    """The model of that id, or the default one; NotFound with a sentence that lists what there is."""
    models = configured().models
    if not model_id:
        return next(iter(models.values()))
    if model_id not in models:
        raise errors.NotFound(f"There is no model of that name here. There are: {', '.join(models)}.")
    return models[model_id]


def title(model: Model) -> str:
    """What sentences call a model."""
    return model.title or model.id


def refusal_of_photos(model: Model) -> str:
    """The sentence for a photo that a model cannot see: it says which configured model can."""
    able = [other.id for other in catalogue() if other.images]
    if able:
        return f"{title(model)} cannot see photos. {' or '.join(able[:3])} can: choose it and send again."
    return f"{title(model)} cannot see photos, and no model of this server can. Send words instead."


def who_sees() -> str:
    """A sentence on which configured models see more; empty where none does."""
    able = [model.id for model in catalogue() if model.images]
    return f"{' or '.join(able[:3])} can see more in it." if able else ""


def takes_photos(model: Model) -> bool:
    """Whether a photo may be sent to the model: it sees, or is told what can be recognised in the photo."""
    return model.images or configured().sight is not None


async def words(prompt: Prompt) -> AsyncGenerator[Response | Prompt, None]:
    """What is seen in the photos, then the prompt with facts in their place, or the answer's end where the model would
    make up the rest. Where photos are not looked at here a new one is refused with InvalidArgument, and those that
    another model was shown before are spoken of."""
    known, refusal = configured(), refusal_of_photos(prompt.model)
    if known.sight is not None:
        alone = prompt.model.provider == local.NAME
        async with aclosing(known.sight.words(prompt, title(prompt.model), who_sees(), alone)) as found:
            async for each in found:
                yield each
    elif sight.has_photo(prompt.contents[-1]):
        raise errors.InvalidArgument(refusal)
    else:
        yield replace(prompt, contents=[sight.unseen(content) for content in prompt.contents])


async def answer(prompt: Prompt, give: Give) -> None:
    """Give the answer to a prompt: returns after a chunk with a reason, or raises an ApiError within the deadlines.

    Notices (`events.notice`) may come before the first content. To cancel it stops the upstream at once.
    """
    known = configured()
    attempts = policy.Attempts(known.patience, time.monotonic() + known.patience.total)
    model, tried, read_out = find(prompt.model.id)[1], set[str](), False
    while True:
        tried.add(model.id)
        provider = known.models[model.id][0]
        breaker = known.breakers[model.id]
        asked = replace(prompt, model=model)
        try:
            if asked.has_images() and not model.images:
                async for found in words(asked):
                    if isinstance(found, Prompt):
                        asked, read_out = found, True
                    elif not (read_out and events.parts_of(found)):  # a fallback's reader has what the photo shows
                        give(events.chunk(found))
                        if events.finish_reason(found):
                            return None
            return await policy.answer(provider.answer, asked, breaker, attempts, give)
        except errors.ApiError as error:
            other = known.fallbacks.get(model.id)
            if other is None or other in tried or not policy.may_go_elsewhere(error, attempts):
                raise advised(policy.final(error), len(known.models) > 1) from None
            model = known.models[other][1]
        told = events.notice(events.FALLBACK, f"{title(asked.model)} is not available: {title(model)} answers instead.")
        give(events.chunk(told))


async def discover(seconds: float = 3.0) -> None:
    """Ask the providers that can be asked which models they have; whoever does not answer in time is left as it is."""
    known = _catalogue
    for provider in known.providers if known else []:
        if isinstance(provider, Discovering):
            try:
                async with asyncio.timeout(seconds):
                    await provider.discover()
            except (errors.ApiError, TimeoutError):
                log.warning("%s does not say which models it has", provider.name)
    if known is not None:
        known.gather()


async def close() -> None:
    """Let every provider go; they come back when they are used again."""
    if _catalogue is not None and _catalogue.sight is not None:
        await _catalogue.sight.close()
    for provider in _catalogue.providers if _catalogue else []:
        await provider.close()
