"""`ollama`, `lmstudio`, `llamacpp`: model servers on this machine, looked for at their usual ports as a process starts.

Its settings:

    WONDERCAM_DISCOVER   1 looks for them, 0 does not; unset, only with DEBUG

They are asked once, at 127.0.0.1 and nowhere else, and not at all where WONDERCAM_MODELS is set: a model that it names
(`ollama/gemma3:4b`) is offered whether the server answers at the start or not. Each is asked in its own language what
it has and what of it sees; then it is asked like any OpenAI-compatible server.
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
"""For all questions to one server: whoever starts WonderCam waits for it."""
SEEING_FAMILIES = frozenset({"clip", "mllama"})
"""Ollama before 0.6.4 says nothing of capabilities; families of its models that see have these."""

Ask = Callable[[str, Any], Awaitable[Any]]
"""An address below the server's, and a body to POST to it or None: the JSON that comes back. Raises ApiError."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of server: its name in models' ids, what people call it, its port, and how it lists its models."""

    name: str
    title: str
    port: int
    list: Callable[[Ask], Awaitable[list[Model]]]


class LocalServer:
    """One server of this machine, there or not. `names` are the models that WONDERCAM_MODELS asks for; without any the
    server is looked for, and what it has is offered."""

    is_local = goes_on = True

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
        """Those that were found, or are asked for."""
        return self._models

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """As any OpenAI-compatible server answers."""
        await self._reader.answer(prompt, give)

    def is_at(self, url: str) -> bool:
        """Whether an address is that of this server."""
        return is_loopback(url) and urlsplit(url).port == self._kind.port

    @property
    def is_asked_for(self) -> bool:
        """Whether WONDERCAM_MODELS names it."""
        return bool(self._names)

    async def discover(self) -> None:
        """Look what the server has, if it is there. Raises ApiError where models of it are asked for and it is not."""
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
    """The objects in a list of an answer; none where the answer is another program's."""
    listed = found.get(name) if isinstance(found, dict) else None
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


async def models_of_ollama(ask: Ask) -> list[Model]:
    """`/api/tags` has the names, `/api/show` what each can do (https://docs.ollama.com/api). Models that Ollama would
    ask elsewhere are no models of this machine."""
    tags = [row for row in rows(await ask("/api/tags", None), "models") if not row.get("remote_host")]
    names = [name for row in tags if isinstance(name := row.get("name"), str)][:MOST_MODELS]
    shown = await asyncio.gather(*(ask("/api/show", {"model": name}) for name in names), return_exceptions=True)
    models = []
    for name, details in zip(names, shown, strict=True):
        can = capabilities_of(details if isinstance(details, dict) else {})
        if "completion" in can:
            models.append(Model("ollama", name, images="vision" in can, functions="tools" in can))
    return models


def capabilities_of(details: dict[str, Any]) -> list[str]:
    """What a model can do, as Ollama calls it. Where it is not said, sight is guessed from the family and functions are
    offered: Ollama refuses them itself."""
    said = details.get("capabilities")
    if isinstance(said, list):
        return [str(each) for each in said]
    family = details.get("details")
    families = family.get("families") if isinstance(family, dict) else None
    sees = not SEEING_FAMILIES.isdisjoint(map(str, families)) if isinstance(families, list) else False
    return ["completion", "tools", "vision"] if sees else ["completion", "tools"]


async def models_of_lmstudio(ask: Ask) -> list[Model]:
    """`/api/v0/models`, from LM Studio 0.3.6 on (https://lmstudio.ai/docs/developer/rest/endpoints)."""
    listed = [row for row in rows(await ask("/api/v0/models", None), "data") if row.get("type") in ("llm", "vlm")]
    return [
        Model("lmstudio", name, images=row["type"] == "vlm") for row in listed if isinstance(name := row.get("id"), str)
    ]


async def models_of_llamacpp(ask: Ask) -> list[Model]:
    """`/props` has what is only llama.cpp's, and whether its model sees and hears; `/v1/models` the model's name, often
    a path (https://github.com/ggml-org/llama.cpp/tree/master/tools/server)."""
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
    """A model's name without its folder: llama.cpp calls a model by its file, and takes any name for it."""
    return name.replace("\\", "/").rpartition("/")[2].removesuffix(".gguf") if name.endswith(".gguf") else name


KINDS = (
    Kind("ollama", "Ollama", 11434, models_of_ollama),
    Kind("lmstudio", "LM Studio", 1234, models_of_lmstudio),
    Kind("llamacpp", "llama.cpp", 8080, models_of_llamacpp),
)


def from_settings(kind: Kind, settings: Settings) -> LocalServer | None:
    """Looked for where WONDERCAM_MODELS names it, or names nothing at all and WONDERCAM_DISCOVER is on."""
    names = named(settings, kind.name)
    wanted = flag(settings, "WONDERCAM_DISCOVER", False) and not text(settings, "WONDERCAM_MODELS")
    if not names and not wanted:
        return None
    asked_for = () if "*" in names else tuple(names)
    return LocalServer(kind, f"http://127.0.0.1:{kind.port}", Connection.from_settings(settings), asked_for)


FROM_SETTINGS = tuple(partial(from_settings, kind) for kind in KINDS)
"""One for each kind, as the catalogue takes them."""
