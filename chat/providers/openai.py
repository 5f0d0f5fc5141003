"""`openai`: any server with `/v1/chat/completions`: OpenAI, Ollama, vLLM, llama.cpp and many more.

Its settings:

    OPENAI_BASE_URL   where, up to and with `/v1`; https://api.openai.com/v1 when only a key is set
    OPENAI_API_KEY    sent as `Authorization: Bearer`; may be missing for a server of one's own
    OPENAI_IMAGES     which models see photos: names, or 1 for all, 0 for none; else what `/v1/models` says
    OPENAI_SOUNDS     which models hear: names, or 1 for all, 0 for none; else what `/v1/models` says
    OPENAI_CONTEXT    tokens of context: a number for all, or name=number; else what `/v1/models` says
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from chat.protocol import events
from chat.protocol.counts import count_of
from chat.protocol.prompt import MP3, WAV, Model, Prompt, fitting
from chat.providers.http.client import Connection
from chat.providers.http.error_mapping import FieldsRefused
from chat.providers.openai_format import CompletionReader, request_of
from chat.providers.settings import Settings, address, is_loopback, items, named, secret, whole

BASE_URL = "https://api.openai.com/v1"
WHO = "The OpenAI-compatible server"
MOST_LISTED = 50
ANSWER_TOKENS = 1024
"""Kept free in a model's context for an answer of unknown length."""
HEARD = (WAV, MP3)
"""The types of an `input_audio` part (https://platform.openai.com/docs/api-reference/chat/create)."""
OPENAI_HEARS = "audio"
"""What stands in the names of OpenAI's own models that hear: `gpt-audio`, `gpt-4o-audio-preview`."""


GOING_ON = {"continue_final_message": True, "add_generation_prompt": False}
"""What vLLM is to be told where the last message is the beginning of the answer; llama.cpp and Ollama go on anyway."""


class Dialect:
    """What one server takes of the fields that not all servers take, as learned from its refusals: `renamed` maps a
    field to the name that it has there, or to nothing where it is left out."""

    INSTEAD = {"stream_options": "", "max_tokens": "max_completion_tokens", **dict.fromkeys(GOING_ON, "")}

    def __init__(self, renamed: dict[str, str]) -> None:
        self._renamed = renamed

    def spoken(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request in this dialect."""
        named = {self._renamed.get(name, name): value for name, value in body.items()}
        named.pop("", None)
        return named

    def learn(self, refused: Iterable[str], sent: dict[str, Any]) -> bool:
        """Do without the refused fields from now on; whether there is anything new to try."""
        new = [name for name in refused if name in sent and name not in self._renamed]
        self._renamed |= {name: self.INSTEAD[name] for name in new}
        return bool(new)


class OpenAI:
    """A reader of chat completions. `who` is what sentences call the server; `extra` goes into every request."""

    def __init__(
        self,
        models: tuple[Model, ...],
        base_url: str,
        key: str = "",
        *,
        name: str = "openai",
        who: str = WHO,
        connection: Connection | None = None,
        extra: dict[str, Any] | None = None,
        known: Callable[[Model], Model] = lambda model: model,
    ) -> None:
        self.name = name
        self.who = who
        self.base_url = base_url
        self.is_local = is_loopback(base_url)
        self._key = key
        self._models = models
        self._connection = connection or Connection()
        self._extra = extra or {}
        self._known = known
        self._dialect = Dialect({"max_tokens": "max_completion_tokens"} if base_url == BASE_URL else {})

    def models(self) -> tuple[Model, ...]:
        """What is configured."""
        return self._models

    @property
    def goes_on(self) -> bool:
        """Whether a last message of the assistant's is the beginning of the answer: nearly everywhere but at OpenAI."""
        return self.base_url != BASE_URL

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Give the answer in Gemini's shape; ends after a finishReason or raises an ApiError."""
        translation = CompletionReader(prompt.model.name, self.who, tools="tools" in prompt.extra)
        wanted = prompt.generation.get("maxOutputTokens")
        fit = fitting(prompt, wanted if isinstance(wanted, int) else ANSWER_TOKENS)
        body = {**self._extra, **request_of(fit), **(GOING_ON if prompt.goes_on else {})}
        url = f"{self.base_url}/chat/completions"
        while True:
            sent = self._dialect.spoken(body)
            try:
                return await self._connection.stream(self.who, url, sent, self._headers(), translation, give)
            except FieldsRefused as refused:
                if not self._dialect.learn(refused.fields, sent):
                    raise

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    async def discover(self) -> None:
        """Ask `/v1/models` for what is not configured: names where there are none, context, sight. Raises ApiError."""
        listed = await self._connection.get(self.who, f"{self.base_url}/models", self._headers())
        found = {model.name: model for model in listed_models(self.name, listed)}
        models = self._models or tuple(found.values())[:MOST_LISTED]
        only = next(iter(found.values())) if len(found) == 1 else None  # llama.cpp takes any name for its one model
        listings = ((model, found.get(model.name, only) or model) for model in models)
        self._models = tuple(self._known(replace(listing, name=model.name)) for model, listing in listings)


def listed_models(provider: str, listed: Any) -> Iterator[Model]:
    """The models of a `/v1/models` answer, with what vLLM, llama.cpp and OpenRouter say about context, sight and
    hearing."""
    data = listed.get("data") if isinstance(listed, dict) else None
    for item in data if isinstance(data, list) else ():
        if not isinstance(item, dict) or not isinstance(name := item.get("id"), str):
            continue
        meta, architecture = (
            each if isinstance(each := item.get(key), dict) else {} for key in ("meta", "architecture")
        )
        sizes = (item.get("max_model_len"), item.get("context_length"), meta.get("n_ctx"))
        context = next((count for size in sizes if (count := count_of(size))), None)
        takes = taken if isinstance(taken := architecture.get("input_modalities"), list) else []
        yield Model(provider, name, images="image" in takes, sounds=HEARD if "audio" in takes else (), context=context)


def knowledge(settings: Settings, base: str) -> Callable[[Model], Model]:
    """What the settings say about a model, as a function that puts it in."""
    images, sounds = items(settings, "OPENAI_IMAGES"), items(settings, "OPENAI_SOUNDS")
    if not images and base == BASE_URL:
        images = ["1"]
    contexts: dict[str, int] = {}
    for item in items(settings, "OPENAI_CONTEXT"):
        name, _, size = item.rpartition("=")
        contexts[name.strip()] = whole({"OPENAI_CONTEXT": size}, "OPENAI_CONTEXT", 0, 1)

    def known(model: Model) -> Model:
        sees = model.images if not images else is_among(images, model)
        hears = bool(model.sounds) or (base == BASE_URL and OPENAI_HEARS in model.name)
        hears = is_among(sounds, model) if sounds else hears
        return replace(
            model,
            images=sees,
            sounds=HEARD if hears else (),
            context=contexts.get(model.name, contexts.get("", model.context)),
        )

    return known


def is_among(named: list[str], model: Model) -> bool:
    """Whether a setting names the model: by its name, or as one of all."""
    return named != ["0"] and (named == ["1"] or model.name in named)


def from_settings(settings: Settings) -> OpenAI | None:
    """Configured by OPENAI_BASE_URL or OPENAI_API_KEY."""
    key = secret(settings, "OPENAI_API_KEY")
    base = address(settings, "OPENAI_BASE_URL", BASE_URL if key else "")
    if not base:
        return None
    known = knowledge(settings, base)
    models = tuple(known(Model("openai", name)) for name in named(settings, "openai") if name != "*")
    return OpenAI(models, base, key, connection=Connection.from_settings(settings), known=known)
