"""`openai`: any server with `/v1/chat/completions`, such as OpenAI, Ollama, vLLM and llama.cpp.

Its settings:

    OPENAI_BASE_URL   the base URL up to and including `/v1`; https://api.openai.com/v1 if only a key is set
    OPENAI_API_KEY    sent as `Authorization: Bearer`; optional for servers that need no key
    OPENAI_IMAGES     the models that see photos: names, 1 for all, 0 for none; default: what `/v1/models` lists
    OPENAI_SOUNDS     the models that hear: names, 1 for all, 0 for none; default: what `/v1/models` lists
    OPENAI_CONTEXT    the context in tokens: a number for all models, or name=number; default: what `/v1/models` lists
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
"""Tokens of the context that are reserved for the answer if the request sets no `maxOutputTokens`."""
HEARD = (WAV, MP3)
"""The MIME types of an `input_audio` part (https://platform.openai.com/docs/api-reference/chat/create)."""
OPENAI_HEARS = "audio"
"""Part of the names of OpenAI's models that hear: `gpt-audio`, `gpt-4o-audio-preview`."""


GOING_ON = {"continue_final_message": True, "add_generation_prompt": False}
"""The fields by which vLLM continues a last message of the assistant; llama.cpp and Ollama do so without them."""


class Dialect:
    """The request fields that one server does not accept, as learned from its error responses: `renamed` maps such a
    field to its name at this server, or to "" if it is omitted."""

    INSTEAD = {"stream_options": "", "max_tokens": "max_completion_tokens", **dict.fromkeys(GOING_ON, "")}

    def __init__(self, renamed: dict[str, str]) -> None:
        self._renamed = renamed

    def spoken(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the request body with the fields renamed or omitted."""
        named = {self._renamed.get(name, name): value for name, value in body.items()}
        named.pop("", None)
        return named

    def learn(self, refused: Iterable[str], sent: dict[str, Any]) -> bool:
        """Rename or omit the refused fields from now on. Return whether any of them is new, so that a retry helps."""
        new = [name for name in refused if name in sent and name not in self._renamed]
        self._renamed |= {name: self.INSTEAD[name] for name in new}
        return bool(new)


class OpenAI:
    """A provider of chat completions. `who` names the server in error messages; `extra` is merged into every request;
    `known` adds to a listed model what the settings say about it."""

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
        """The configured models, or those that `discover` has found."""
        return self._models

    @property
    def can_continue(self) -> bool:
        """Whether the server continues a last message of the assistant: OpenAI does not, nearly all others do."""
        return self.base_url != BASE_URL

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Pass the answer's chunks to `give`, in Gemini's format, the last one with a finishReason. Raises ApiError."""
        translation = CompletionReader(prompt.model.name, self.who, tools="tools" in prompt.extra)
        wanted = prompt.generation.get("maxOutputTokens")
        fit = fitting(prompt, wanted if isinstance(wanted, int) else ANSWER_TOKENS)
        body = {**self._extra, **request_of(fit), **(GOING_ON if prompt.is_continuation else {})}
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
        """Get from `/v1/models` what is not configured: the models, if none are, their context, and whether they see
        and hear. Raises ApiError."""
        listed = await self._connection.get(self.who, f"{self.base_url}/models", self._headers())
        found = {model.name: model for model in listed_models(self.name, listed)}
        models = self._models or tuple(found.values())[:MOST_LISTED]
        only = next(iter(found.values())) if len(found) == 1 else None  # llama.cpp takes any name for its one model
        listings = ((model, found.get(model.name, only) or model) for model in models)
        self._models = tuple(self._known(replace(listing, name=model.name)) for model, listing in listings)


def listed_models(provider: str, listed: Any) -> Iterator[Model]:
    """Yield the models of a `/v1/models` response, with the context and modalities that vLLM, llama.cpp and OpenRouter
    add. It may be a list by itself (Together), or have Ollama's names."""
    data = listed.get("data") or listed.get("models") if isinstance(listed, dict) else listed
    for item in data if isinstance(data, list) else ():
        if not isinstance(item, dict) or not isinstance(name := item.get("id") or item.get("name"), str):
            continue
        meta, architecture = (
            each if isinstance(each := item.get(key), dict) else {} for key in ("meta", "architecture")
        )
        sizes = (item.get("max_model_len"), item.get("context_length"), meta.get("n_ctx"))
        context = next((count for size in sizes if (count := count_of(size))), None)
        takes = taken if isinstance(taken := architecture.get("input_modalities"), list) else []
        yield Model(provider, name, images="image" in takes, sounds=HEARD if "audio" in takes else (), context=context)


def knowledge(settings: Settings, base: str) -> Callable[[Model], Model]:
    """Return a function that applies OPENAI_IMAGES, OPENAI_SOUNDS and OPENAI_CONTEXT to a model."""
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
    """Whether a setting includes the model: by its name, or as 1 for all."""
    return named != ["0"] and (named == ["1"] or model.name in named)


def from_settings(settings: Settings) -> OpenAI | None:
    """Return the provider if OPENAI_BASE_URL or OPENAI_API_KEY is set, else None. Raises ValueError."""
    key = secret(settings, "OPENAI_API_KEY")
    base = address(settings, "OPENAI_BASE_URL", BASE_URL if key else "")
    if not base:
        return None
    known = knowledge(settings, base)
    models = tuple(known(Model("openai", name)) for name in named(settings, "openai") if name != "*")
    return OpenAI(models, base, key, connection=Connection.from_settings(settings), known=known)
