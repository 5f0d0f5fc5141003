"""Requests of clients for OpenAI's chat completions, translated to Gemini's format. No I/O.

Their responses are in `completion_chunks.py`, tools in `openai_tools.py`. `providers/openai_format.py` has the opposite
direction, the requests of providers to servers with this API.
https://platform.openai.com/docs/api-reference/chat
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from chat.protocol.errors import InvalidArgument
from chat.protocol.openai_tools import Fields, fields_of, gemini_tools_of, part_of
from chat.protocol.prompt import CHAT_COMPLETION, Content, Part

FORMAT = re.compile(r"[A-Za-z0-9.+-]{1,20}")
DATA_URL = re.compile(r"data:([\w/.+-]+)(?:;[\w-]+=[^;,]*)*;base64,(.*)", re.DOTALL | re.IGNORECASE)

PASSED_OVER = ("parallel_tool_calls", "reasoning_effort", "verbosity")
ONLY_HERE = (*PASSED_OVER, "min_p", "repetition_penalty", "logit_bias", "chat_template_kwargs")
"""The fields that only servers of this API understand; for other models the first three are ignored."""


class StreamOptions(msgspec.Struct):
    """The options of a stream. `include_usage`: whether its last chunk has the token counts."""

    include_usage: bool = False


class PassedOver(msgspec.Struct):
    """The fields of both of OpenAI's APIs that do not change the answer, and are ignored."""

    moderation: Any = None
    prompt_cache_key: Any = None
    prompt_cache_options: Any = None
    prompt_cache_retention: Any = None
    safety_identifier: Any = None
    service_tier: Any = None
    store: Any = None
    user: Any = None


class Completion(PassedOver, forbid_unknown_fields=True, kw_only=True):
    """The body of a request. Raises ValueError for values that are not supported.

    The fields of `passed_on` reach only servers of this API. The last three, which do not change the answer, are
    ignored. Unknown fields are refused, as OpenAI does.
    """

    messages: list[dict[str, Any]]
    model: str = ""
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = 1
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    functions: list[dict[str, Any]] | None = None
    function_call: Any = None
    modalities: list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    logit_bias: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    audio: Any = None
    metadata: Any = None
    prediction: Any = None

    def __post_init__(self) -> None:
        if self.logprobs or self.top_logprobs:
            raise ValueError("`logprobs` are not supported")
        if self.n not in (None, 1):
            raise ValueError("`n` is 1: a stream is one answer")
        if self.functions or self.function_call:
            raise ValueError("`functions` and `function_call` are not supported: send `tools`")
        if set(self.modalities or ()) - {"text"}:
            raise ValueError("`modalities` is text")

    def generation(self) -> Fields:
        """Gemini's `generationConfig`."""
        found = {
            "maxOutputTokens": self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens,
            "temperature": self.temperature,
            "topP": self.top_p,
            "topK": self.top_k,
            "stopSequences": [each for each in self._stops() if each] or None,
            "seed": self.seed,
            "presencePenalty": self.presence_penalty,
            "frequencyPenalty": self.frequency_penalty,
            **self._format(),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    def _format(self) -> Fields:
        asked = self.response_format or {}
        schema = fields_of(asked.get("json_schema")).get("schema")
        return json_format(asked.get("type", "text"), schema, "response_format")

    def extra(self) -> Fields:
        """Gemini's `tools` and `toolConfig`, and under CHAT_COMPLETION the fields that only servers of this API
        understand."""
        return {**gemini_tools_of(self.tools or [], self.tool_choice), **only_here(self.passed_on())}

    def passed_on(self) -> Fields:
        """The fields that Gemini's format does not have, or in which something would be lost, such as `strict`."""
        is_schema = (self.response_format or {}).get("type") == "json_schema"
        return {
            "response_format": self.response_format if is_schema else None,
            "tools": strict_ones(self.tools or [], self.tool_choice),
            **{name: getattr(self, name) for name in ONLY_HERE},
        }

    def system(self) -> str:
        """The text of the system and developer messages."""
        said = [message for message in self.messages if message.get("role") in ("system", "developer")]
        return "\n\n".join(text_in(parts_of(message), "system message") for message in said)

    def contents(self) -> list[Content]:
        """The other messages as Gemini's contents; the results of several calls are one content."""
        found: list[Content] = []
        names: dict[str, str] = {}
        for message in self.messages:
            if message.get("role") in ("system", "developer"):
                continue
            names |= {
                str(call.get("id")): str(fields_of(call.get("function")).get("name")) for call in calls_of(message)
            }
            content = content_of(message, names)
            if found and is_result(content) and is_result(found[-1]):
                found[-1]["parts"] += content["parts"]
            else:
                found.append(content)
        return found


def only_here(fields: Fields) -> Fields:
    """These fields, without empty ones, as a field of `Prompt.extra`; {} if all are empty."""
    given = {name: value for name, value in fields.items() if value not in (None, {})}
    return {CHAT_COMPLETION: given} if given else {}


def strict_ones(tools: list[Fields], choice: Any) -> list[Fields] | None:
    """The tools unchanged if any of them is `strict`, which Gemini's declarations do not have; None if none is, or if
    `tool_choice` allows only some of them."""
    is_strict = any(fields_of(tool.get("function")).get("strict") for tool in tools)
    return tools if is_strict and fields_of(choice).get("type") != "allowed_tools" else None


def json_format(kind: Any, schema: Any, name: str) -> Fields:
    """The fields of `generationConfig` for an answer in this format; `name` is the request's field, for errors."""
    if kind == "text":
        return {}
    if kind not in ("json_object", "json_schema"):
        raise InvalidArgument(f"`{name}` has another type than text, json_object and json_schema.")
    if kind == "json_schema" and not isinstance(schema, dict):
        raise InvalidArgument(f"`{name}` has the type json_schema, but no `schema`.")
    return {"responseMimeType": "application/json", **({"responseJsonSchema": schema} if schema else {})}


def calls_of(message: Fields) -> list[Fields]:
    """The tool calls in a message."""
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise InvalidArgument("`tool_calls` must be a list of objects.")
    return calls


def is_result(content: Content) -> bool:
    """Whether a content has only results of functions."""
    return all("functionResponse" in part for part in content["parts"])


def content_of(message: Fields, names: dict[str, str]) -> Content:
    """One message as a content; `names` has the function of each call by its id."""
    role = message.get("role")
    if role == "user":
        return {"role": "user", "parts": parts_of(message)}
    if role == "assistant":
        if message.get("function_call") or message.get("audio"):
            raise InvalidArgument(
                "`messages` has a `function_call` or an `audio`: send `tool_calls`, or the text of the sound."
            )
        try:
            calls = [part_of(call) for call in calls_of(message)]
        except ValueError:
            raise InvalidArgument("`tool_calls` has a call whose `arguments` are not a JSON object.") from None
        said = parts_of(message) if message.get("content") else [{"text": message.get("refusal") or ""}]
        return {
            "role": "model",
            "parts": [*(part for part in said if part.get("text", True)), *calls] or [{"text": ""}],
        }
    if role == "tool":
        number = str(message.get("tool_call_id"))
        if number not in names:
            raise InvalidArgument("`messages` has a `tool_call_id` that no call before it has.")
        text = text_in(parts_of(message), "tool result")
        return {"role": "user", "parts": [{"functionResponse": {"id": number, "name": names[number], **result(text)}}]}
    raise InvalidArgument("`messages` has another `role` than system, developer, user, assistant and tool.")


def text_in(parts: list[Part], where: str) -> str:
    """The text of parts; InvalidArgument for photos and sounds."""
    if any("text" not in part for part in parts):
        raise InvalidArgument(f"A {where} must be text: send photos and sounds in a user message.")
    return "".join(part["text"] for part in parts)


def result(text: str) -> Fields:
    """A function's result as Gemini expects it: an object."""
    try:
        given = msgspec.json.decode(text)
    except msgspec.DecodeError:
        given = text
    return {"response": given if isinstance(given, dict) else {"result": given}}


def parts_of(message: Fields) -> list[Part]:
    """A message's content as parts."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return [{"text": content or ""}]
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise InvalidArgument("`messages` has a `content` that is neither a string nor a list of objects.")
    return [part for item in content for part in said_by(item)]


def said_by(item: Fields) -> Iterator[Part]:
    """One part of a message's content."""
    kind = item.get("type")
    if kind in ("text", "refusal") and isinstance(text := item.get(kind), str):
        yield {"text": text}
    elif kind == "image_url":
        url = item["image_url"].get("url") if isinstance(item.get("image_url"), dict) else item.get("image_url")
        yield photo_of(url, "url")
    elif kind == "input_audio":
        yield sound_of(item)
    else:
        named = repr(str(kind)[:40]) if kind else "none"
        raise InvalidArgument(f"`messages` has a part of the type {named}: send text, image_url or input_audio.")


def photo_of(url: Any, name: str) -> Part:
    """A photo from its `data:` URL; `name` is the field that has it, for the error."""
    if not isinstance(url, str) or not (found := DATA_URL.fullmatch(url)):
        raise InvalidArgument(f"Photos are not fetched from URLs: send `data:image/jpeg;base64,…` as the `{name}`.")
    return {"inlineData": {"mimeType": found[1].lower(), "data": unquote(found[2])}}


def sound_of(item: Fields) -> Part:
    """A sound from a part of the type `input_audio`."""
    sound = item["input_audio"] if isinstance(item.get("input_audio"), dict) else {}
    data, format = sound.get("data"), sound.get("format")
    if not isinstance(data, str) or not isinstance(format, str) or not FORMAT.fullmatch(format):
        raise InvalidArgument('A sound must be sent as `"input_audio": {"data": <base64>, "format": "wav"}`.')
    return {"inlineData": {"mimeType": f"audio/{format.lower()}", "data": data}}
