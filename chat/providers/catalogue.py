"""`Catalogue`: the configured providers, their models in order, and the fallbacks between models.

prompt → Catalogue.answer → policy (deadlines, retries, breaker) → a provider's own answer → its server
             └── the fallback model, if the first one fails before its first content
"""

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from chat.protocol import errors, events
from chat.protocol.events import Give, Response
from chat.protocol.prompt import Model, Prompt, tokens_of
from chat.providers import found, gemini, openai, policy, recording, vertex
from chat.providers.advice import advised
from chat.providers.breaker import Breaker
from chat.providers.found import LocalServer
from chat.providers.local import provider as local
from chat.providers.senses import Senses, title
from chat.providers.settings import Settings, items
from chat.providers.vision import sight

log = logging.getLogger(__name__)


class Provider(Protocol):
    """One upstream. `is_local` = True marks one on this machine, where a model can take minutes to load."""

    name: str

    def models(self) -> tuple[Model, ...]:
        """The configured models; no I/O."""
        ...

    async def answer(self, prompt: Prompt, give: Give) -> None:
        """Pass the answer's chunks to `give` as they arrive, the last one with a reason. Raises ApiError. Cancelling it
        stops the upstream."""
        ...

    async def close(self) -> None:
        """Close connections and processes."""
        ...


@runtime_checkable
class Discovering(Protocol):
    """A provider whose server can be asked for its models."""

    async def discover(self) -> None:
        """Ask for the models; raises ApiError."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A provider whose server counts tokens."""

    async def count_tokens(self, prompt: Prompt) -> dict[str, Any]:
        """`{"totalTokens": …}` and the other fields of Gemini's response; raises ApiError."""
        ...


@runtime_checkable
class Continues(Protocol):
    """A provider that knows whether its server can continue an answer whose beginning it is given."""

    @property
    def can_continue(self) -> bool:
        """Whether it can."""
        ...


Make = Callable[[Settings], Provider | None]
PROVIDERS: tuple[Make, ...] = (
    vertex.from_settings,
    gemini.from_settings,
    openai.from_settings,
    *found.FROM_SETTINGS,
    recording.from_settings,
    local.from_settings,
)
"""All providers; without WONDERCAM_MODELS their models are offered in this order, as in `offered`."""

NAMES = ("vertex", "gemini", "openai", *(kind.name for kind in found.KINDS), "recording", "local")
OFF, ALL = "off", "all"
WITHOUT_TITLES = {local.NAME, "recording"}
"""The embedded model's titles are not good enough (docs/page.md), and a recording answers no question."""


class Catalogue:
    """The models of one process, made from its settings. Raises ValueError, whose sentence names the variable."""

    def __init__(self, settings: Settings, makers: tuple[Make, ...] | None = None) -> None:
        self.senses = Senses(sight.from_settings(settings), self.models)
        self.limits = policy.AttemptLimits.from_settings(settings)
        wanted = items(settings, "WONDERCAM_MODELS")
        self._free = not wanted
        self._wanted = [item for item in wanted if not item.endswith("/*")]
        made = [make(settings) for make in makers or PROVIDERS]
        self._providers = without_doubles([provider for provider in made if provider is not None])
        self._continued = chosen(settings, "WONDERCAM_CONTINUE", [local.NAME])
        self._titled = chosen(settings, "WONDERCAM_TITLES", [kind.name for kind in found.KINDS]) - WITHOUT_TITLES
        self._breakers: defaultdict[str, Breaker] = defaultdict(Breaker)
        self._models: dict[str, tuple[Provider, Model]] = {}
        self.unreadable = Counter[str]()
        """By model, the attempts at an answer that could not be read to its end."""
        self._gather()
        self._fallbacks = dict(fallback(item) for item in items(settings, "WONDERCAM_FALLBACKS"))
        for name in (*self._fallbacks, *self._fallbacks.values()):
            if name not in self._models:
                raise ValueError(f"WONDERCAM_FALLBACKS names {name}, which is no model of this server.")

    def _gather(self) -> None:
        """Collect the models of all providers. Raises ValueError if one that is named in the settings is missing."""
        there = {model.id: (provider, model) for provider in self._providers for model in provider.models()}
        for item in self._wanted:
            if item not in there:
                raise ValueError(f"WONDERCAM_MODELS names {item}, and no provider of that name is configured.")
        names = offered(there) if self._free else [*self._wanted, *there]
        self._models = {name: there[name] for name in dict.fromkeys(names)}

    def _configured(self) -> dict[str, tuple[Provider, Model]]:
        if not self._models:
            raise errors.Unavailable("No model is configured on this server.")
        return self._models

    def models(self) -> tuple[Model, ...]:
        """All models, the default first; Unavailable if there are none."""
        return tuple(model for _, model in self._configured().values())

    def find(self, model_id: str | None) -> tuple[Provider, Model]:
        """The model with this id, or the default one. NotFound, whose sentence lists the models, for unknown ids."""
        models = self._configured()
        if not model_id:
            return next(iter(models.values()))
        if model_id not in models:
            raise errors.NotFound(f"There is no model of that name here. There are: {', '.join(models)}.")
        return models[model_id]

    async def answer(self, prompt: Prompt, give: Give) -> None:
        """Pass the chunks of an answer to `give`: returns after one with a reason, or raises an ApiError in time.

        Notices (`events.notice`) may precede the first content. Cancelling this stops the upstream at once.
        """
        attempts = policy.Attempts(self.limits, time.monotonic() + self.limits.total, unreadable=self.unreadable)
        model, tried, description = self.find(prompt.model.id)[1], set[str](), Description(give)
        while True:
            tried.add(model.id)
            provider = self._models[model.id][0]
            asked = prompt if model is prompt.model else replace(prompt, model=model)
            is_embedded = model.provider == local.NAME
            try:
                if is_embedded or prompt.has_media():
                    adapted = await self.senses.adapted(asked, description.tell, describe_only=is_embedded)
                    if adapted is None:
                        return None
                    asked = adapted
                    description.complete()
                is_local = getattr(provider, "is_local", False)
                return await policy.answer(provider.answer, asked, self._breakers[model.id], attempts, give, is_local)
            except errors.ApiError as error:
                other = self._fallback(model.id, tried, prompt)
                if other is None or prompt.is_continuation or not policy.may_go_elsewhere(error, attempts):
                    raise advised(policy.final(error), len(self._models) > 1) from None
                model = self._models[other][1]
            told = f"{title(asked.model)} is not available: {title(model)} answers instead."
            give(events.chunk(events.notice(events.FALLBACK, told)))

    def _fallback(self, model_id: str, tried: set[str], prompt: Prompt) -> str | None:
        """The next fallback of the model that was not tried yet and takes the parts of the question, if any."""
        while (other := self._fallbacks.get(model_id)) is not None and other not in tried:
            if self.senses.takes(prompt.contents[-1], self._models[other][1]):
                return other
            tried.add(other)
            model_id = other
        return None

    def may_continue(self, model_id: str) -> bool:
        """Whether answers of this model may be continued after their worker died (`WONDERCAM_CONTINUE`)."""
        return model_id in self._models and self._models[model_id][0].name in self._continued

    def gives_titles(self, model: Model) -> bool:
        """Whether this model is asked for titles of chats (`WONDERCAM_TITLES`)."""
        return model.provider in self._titled

    def can_continue(self, model: Model, *, photos: bool) -> bool:
        """Whether the model can continue an answer whose beginning it is given. With photos only if it sees them: if
        not, the answer begins with the server's own description of them."""
        provider = self._models[model.id][0]
        return isinstance(provider, Continues) and provider.can_continue and (model.images or not photos)

    def resting(self) -> list[str]:
        """The models whose breaker is open for everybody."""
        return [name for name, breaker in self._breakers.items() if breaker.is_open]

    def slots(self) -> tuple[int, int, int]:
        """The embedded model's questions that wait for a slot, its slots in use, and all its slots."""
        told = (provider.slots for provider in self._providers if isinstance(provider, local.Local))
        return next(told, (0, 0, 0))

    async def count_tokens(self, prompt: Prompt, seconds: float = 30.0) -> dict[str, Any]:
        """The tokens of a prompt, as a response of Gemini's `countTokens`; estimated if the provider cannot count."""
        provider, _ = self.find(prompt.model.id)
        if not isinstance(provider, Counting):
            return {"totalTokens": tokens_of(prompt)}
        try:
            async with asyncio.timeout(seconds):
                return await provider.count_tokens(prompt)
        except TimeoutError:
            raise errors.DeadlineExceeded(f"{title(prompt.model)} did not count within {seconds:g} seconds.") from None

    async def discover(self, seconds: float = 3.0) -> None:
        """Ask the providers that support it for their models; one that does not answer in time keeps those it has."""
        asked = [provider for provider in self._providers if isinstance(provider, Discovering)]
        results = await asyncio.gather(
            *(asyncio.wait_for(provider.discover(), seconds) for provider in asked), return_exceptions=True
        )
        for provider, result in zip(asked, results, strict=True):
            if isinstance(result, errors.ApiError | TimeoutError):
                log.warning("%s does not say which models it has", provider.name)
            elif result is not None:
                raise result
        self._gather()

    async def close(self) -> None:
        """Close all providers; they reopen when they are used again."""
        await self.senses.close()
        for provider in self._providers:
            await provider.close()


class Description:
    """Passes what the server itself says of photos to the reader, and only once if several models are tried."""

    def __init__(self, give: Give) -> None:
        self._give = give
        self._begun = self._complete = False

    def tell(self, response: Response) -> None:
        """Pass on a response, unless the reader already has the description that it belongs to."""
        if not (self._complete and events.parts_of(response)):
            self._begun = True
            self._give(events.chunk(response))

    def complete(self) -> None:
        """Take note that a description, if one was begun, was passed on to its end."""
        self._complete = self._begun


def offered(there: Mapping[str, tuple[Provider, Model]]) -> list[str]:
    """The ids of all models in their default order: configured ones, then those found on this machine, which see photos
    first; the embedded model only if nothing is configured."""
    embedded = [name for name, (provider, _) in there.items() if provider.name == local.NAME]
    local_servers = [name for name, (provider, _) in there.items() if isinstance(provider, LocalServer)]
    configured = [name for name in there if name not in {*embedded, *local_servers}]
    local_servers.sort(key=lambda name: not there[name][1].images)
    return [*configured, *local_servers, *([] if configured else embedded)]


def without_doubles(providers: list[Provider]) -> list[Provider]:
    """The providers without the local servers that OPENAI_BASE_URL names already."""
    bases = [provider.base_url for provider in providers if isinstance(provider, openai.OpenAI)]

    def is_double(provider: Provider) -> bool:
        return isinstance(provider, LocalServer) and not provider.is_asked_for and any(map(provider.is_at, bases))

    return [provider for provider in providers if not is_double(provider)]


def fallback(item: str) -> tuple[str, str]:
    """`a/b=c/d` as a pair."""
    first, sign, second = (part.strip() for part in item.partition("="))
    if not (first and sign and second):
        raise ValueError(f"WONDERCAM_FALLBACKS holds {item!r}: write provider/model=provider/model.")
    return first, second


def chosen(settings: Settings, name: str, default: list[str]) -> frozenset[str]:
    """The providers in a variable's value: a list of them, `off` or `all`. Raises ValueError."""
    given = items(settings, name) or default
    for item in given:
        if item not in (OFF, ALL, *NAMES) or (item in (OFF, ALL) and len(given) > 1):
            raise ValueError(f"{name} holds {item!r}: write {OFF}, {ALL}, or a list of providers ({', '.join(NAMES)}).")
    return frozenset(NAMES if given == [ALL] else () if given == [OFF] else given)
