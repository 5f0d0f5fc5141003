"""`ollama`, `lmstudio`, `llamacpp`: model servers on this machine, discovered at their default ports at startup.

Its settings:

    WONDERCAM_DISCOVER   1 discovers them, 0 does not; unset, only with DEBUG

They are asked once, at 127.0.0.1 only. If WONDERCAM_MODELS is set, only the servers that it names are asked; a model
that it names (`ollama/gemma3:4b`) is offered whether its server responds at startup or not. The models and whether they
see photos are asked with each server's own API; answers come from its OpenAI-compatible API.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers.http.client import Connection
from chat.providers.openai import HEARD, OpenAI, listed_models
from chat.providers.settings import Settings, flag, is_loopback, named, text

log = logging.getLogger(__name__)

MOST_MODELS = 50
SECONDS = 2.0
"""For all requests to one server, because the start of WonderCam waits for them."""
SEEING_FAMILIES = frozenset({"clip", "mllama"})
"""Ollama before 0.6.4 lists no capabilities; the families of its models that see photos include one of these."""

Ask = Callable[[str, Any], Awaitable[Any]]
"""Called with a path at the server and a JSON body for a POST, or None for a GET; returns the JSON of the response.
Raises ApiError."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of server: its name in model ids, its product name, its port, and the function that lists its models."""

    name: str
    title: str
    port: int
    list: Callable[[Ask], Awaitable[list[Model]]]


class LocalServer:
    """A server on this machine, which may not run. `names` are its models in WONDERCAM_MODELS; without names all
    models that `discover` finds are offered."""

    is_local = can_continue = True

    def __init__(self, kind: Kind, base: str, connection: Connection, names: tuple[str, ...] = ()) -> None:
        self.name = kind.name
        self.base = base
        self._kind = kind
        self._connection = connection
        self._names = names
        self._models = tuple(self._known(Model(kind.name, name)) for name in names)
        self._reader = OpenAI((), f"{base}/v1", name=kind.name, who=kind.title, connection=connection)

    def _known(self, model: Model) -> Model:
        return replace(model, title=f"{model.name} ({self._kind.title})")

    def models(self) -> tuple[Model, ...]:
        """The models that were discovered, or that WONDERCAM_MODELS names."""
        return self._models

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Pass the answer's chunks to `give`, from the server's OpenAI-compatible API. Raises ApiError."""
        await self._reader.answer(prompt, give)

    def is_at(self, url: str) -> bool:
        """Whether a URL is that of this server: the loopback interface and its port."""
        return is_loopback(url) and urlsplit(url).port == self._kind.port

    @property
    def is_asked_for(self) -> bool:
        """Whether WONDERCAM_MODELS names it."""
        return bool(self._names)

    async def discover(self) -> None:
        """Ask the server for its models. If it does not respond and WONDERCAM_MODELS names models of it, raises
        ApiError or TimeoutError."""
        try:
            async with asyncio.timeout(SECONDS):
                listed = [self._known(model) for model in (await self._kind.list(self._ask))[:MOST_MODELS]]
        except (errors.ApiError, TimeoutError):
            if self._names:
                raise
            return
        if listed:
            seeing = sum(model.images for model in listed)
            log.info("found %s at %s: %d models, %d of them see", self._kind.title, self.base, len(listed), seeing)
        found = {model.name: model for model in listed}
        self._models = tuple(found.get(model.name, model) for model in self._models) if self._names else tuple(listed)

    async def _ask(self, path: str, body: Any) -> Any:
        return await self._connection.look(self._kind.title, f"{self.base}{path}", body)

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()


def rows(found: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects in a list of a response; none if another program with another format responded."""
    listed = found.get(name) if isinstance(found, dict) else None
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


async def models_of_ollama(ask: Ask) -> list[Model]:
    """Return the models of `/api/tags` with their capabilities in `/api/show` (https://docs.ollama.com/api), without
    those that Ollama would run on a remote host."""
    tags = [row for row in rows(await ask("/api/tags", None), "models") if not row.get("remote_host")]
    names = [name for row in tags if isinstance(name := row.get("name"), str)][:MOST_MODELS]
    shown = await asyncio.gather(*(ask("/api/show", {"model": name}) for name in names), return_exceptions=True)
    models = []
    for name, details in zip(names, shown, strict=True):
        can = capabilities_of(details if isinstance(details, dict) else {})
        if "completion" in can:
            models.append(
                Model("ollama", name, images="vision" in can, functions="tools" in can, thinks="thinking" in can)
            )
    return models


def capabilities_of(details: dict[str, Any]) -> list[str]:
    """Return a model's capabilities in Ollama's terms. If they are not listed, `vision` is guessed from the family and
    `tools` is assumed: Ollama refuses tools itself if the model has none."""
    said = details.get("capabilities")
    if isinstance(said, list):
        return [str(each) for each in said]
    family = details.get("details")
    families = family.get("families") if isinstance(family, dict) else None
    sees = not SEEING_FAMILIES.isdisjoint(map(str, families)) if isinstance(families, list) else False
    return ["completion", "tools", "vision"] if sees else ["completion", "tools"]


async def models_of_lmstudio(ask: Ask) -> list[Model]:
    """Return the models of `/api/v0/models`, since LM Studio 0.3.6 (https://lmstudio.ai/docs/developer/rest/endpoints)."""
    listed = [row for row in rows(await ask("/api/v0/models", None), "data") if row.get("type") in ("llm", "vlm")]
    return [
        Model("lmstudio", name, images=row["type"] == "vlm") for row in listed if isinstance(name := row.get("id"), str)
    ]


async def models_of_llamacpp(ask: Ask) -> list[Model]:
    """Return the models of `/v1/models`, whose names are often paths. `/props` has a field that only llama.cpp has, and
    the model's modalities (https://github.com/ggml-org/llama.cpp/tree/master/tools/server)."""
    props = await ask("/props", None)
    if not isinstance(props, dict) or "default_generation_settings" not in props:
        return []
    modalities = props.get("modalities")
    able = modalities if isinstance(modalities, dict) else {}
    sees, hears = able.get("vision") is True, HEARD if able.get("audio") is True else ()
    listed = listed_models("llamacpp", await ask("/v1/models", None))
    return [
        replace(model, name=plain(model.name), images=model.images or sees, sounds=model.sounds or hears)
        for model in listed
    ]


def plain(name: str) -> str:
    """Return a model's name without folder and suffix: llama.cpp names a model by its file, and accepts any name."""
    return name.replace("\\", "/").rpartition("/")[2].removesuffix(".gguf") if name.endswith(".gguf") else name


KINDS = (
    Kind("ollama", "Ollama", 11434, models_of_ollama),
    Kind("lmstudio", "LM Studio", 1234, models_of_lmstudio),
    Kind("llamacpp", "llama.cpp", 8080, models_of_llamacpp),
)


def from_settings(kind: Kind, settings: Settings) -> LocalServer | None:
    """Return the server if WONDERCAM_MODELS names it, or if that is unset and WONDERCAM_DISCOVER is on; else None."""
    names = named(settings, kind.name)
    wanted = flag(settings, "WONDERCAM_DISCOVER", False) and not text(settings, "WONDERCAM_MODELS")
    if not names and not wanted:
        return None
    asked_for = () if "*" in names else tuple(names)
    return LocalServer(kind, f"http://127.0.0.1:{kind.port}", Connection.from_settings(settings), asked_for)


FROM_SETTINGS = tuple(partial(from_settings, kind) for kind in KINDS)
"""`from_settings` of each kind, for `catalogue.PROVIDERS`."""
