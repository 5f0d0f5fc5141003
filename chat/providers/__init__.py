"""The upstreams: one file each, found by the model's id, all asked through `catalogue.py`.

A provider is a file with `from_settings(settings)` and a line in `catalogue.PROVIDERS`. It knows neither Django nor the
database; it gets a `Prompt`, gives responses in Gemini's shape, and raises `chat.protocol.errors` where it cannot.

This process's `Catalogue` is made by `configure`; the functions here are its methods.
"""

from typing import Any

from chat.protocol import errors
from chat.protocol.events import Give
from chat.protocol.prompt import Model, Prompt
from chat.providers.catalogue import Catalogue, Provider
from chat.providers.settings import Settings

_current: Catalogue | None = None


def configure(settings: Settings) -> None:
    """Build the providers that the settings configure. Raises ValueError with a sentence that names the variable."""
    global _current
    _current = Catalogue(settings)


def current() -> Catalogue:
    """What `configure` built; Unavailable before it has."""
    if _current is None:
        raise errors.Unavailable("No model is configured on this server.")
    return _current


def models() -> tuple[Model, ...]:
    """See `Catalogue.models`, and so for all below."""
    return current().models()


def find(model_id: str | None) -> tuple[Provider, Model]:
    """The model of that id, or the default one."""
    return current().find(model_id)


def refusal_of_photos(model: Model) -> str:
    """The sentence for a photo that the model cannot see."""
    return current().refusal_of_photos(model)


def takes_photos(model: Model) -> bool:
    """Whether a photo may be sent to the model."""
    return current().takes_photos(model)


async def answer(prompt: Prompt, give: Give) -> None:
    """Give the answer to a prompt."""
    await current().answer(prompt, give)


async def count_tokens(prompt: Prompt) -> dict[str, Any]:
    """The tokens of a prompt."""
    return await current().count_tokens(prompt)


async def discover(seconds: float = 3.0) -> None:
    """Ask the providers for their models."""
    if _current is not None:
        await _current.discover(seconds)


async def close() -> None:
    """Let every provider go."""
    if _current is not None:
        await _current.close()
