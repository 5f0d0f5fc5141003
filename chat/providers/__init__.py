"""The upstreams: one file each, found by the model's id, all seen through `answer`.

    prompt → answer → policy (deadlines, retries, breaker, fallback) → a provider's own answer → its server

A provider is a file with `from_settings(settings)` and a line in PROVIDERS. It knows neither Django nor the
database; it gets a `Prompt`, gives responses in Gemini's shape, and raises `chat.errors` where it cannot.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Protocol

from chat import errors
from chat.events import Response
from chat.prompt import Model, Prompt
from chat.providers import configuration, local, openai, recording


class Provider(Protocol):
    """One upstream."""

    name: str

    def models(self) -> tuple[Model, ...]:
        """What is configured; no I/O."""
        ...

    def answer(self, prompt: Prompt) -> AsyncGenerator[Response, None]:
        """The answer's responses as they come, the last one with a finishReason. Raises ApiError; aclose() stops it."""
        ...

    async def close(self) -> None:
        """Let go of connections and processes."""
        ...


PROVIDERS: tuple[Callable[[configuration.Settings], Provider | None], ...] = (
    openai.from_settings,
    recording.from_settings,
    local.from_settings,
)
"""Every provider there is; without WONDERCAM_MODELS their models are offered in this order."""

_models: dict[str, tuple[Provider, Model]] = {}


def configure(settings: Mapping[str, str]) -> None:
    """Build the providers that the settings configure. Raises ValueError with a sentence that names the variable."""
    built = [provider for make in PROVIDERS if (provider := make(settings)) is not None]
    found = {model.id: (provider, model) for provider in built for model in provider.models()}
    wanted = [item for item in configuration.items(settings, "WONDERCAM_MODELS") if not item.endswith("/*")]
    for item in wanted:
        if item not in found:
            raise ValueError(f"WONDERCAM_MODELS names {item}, and no provider of that name is configured.")
    order = list(dict.fromkeys([*wanted, *found]))
    _models.clear()
    _models.update({name: found[name] for name in order})
    if not _models:
        raise ValueError("WONDERCAM_MODELS is not set and no provider with models is configured.")


def catalogue() -> tuple[Model, ...]:
    """All models, the default first."""
    return tuple(model for _, model in _models.values())


def find(model_id: str | None) -> tuple[Provider, Model]:
    """The model of that id, or the default one; NotFound with a sentence that lists what there is."""
    if not _models:
        raise errors.Unavailable("No model is configured on this server.")
    if not model_id:
        return next(iter(_models.values()))
    if model_id not in _models:
        raise errors.NotFound(f"There is no model of that name here. There are: {', '.join(_models)}.")
    return _models[model_id]


async def answer(prompt: Prompt) -> AsyncGenerator[Response, None]:
    """The answer to a prompt: ends after a response with a finishReason, or raises an ApiError."""
    provider, _ = find(prompt.model.id)
    responses = provider.answer(prompt)
    try:
        async for response in responses:
            yield response
    finally:
        await responses.aclose()


async def close() -> None:
    """Let every provider go; they come back when they are used again."""
    for provider in {id(provider): provider for provider, _ in _models.values()}.values():
        await provider.close()
