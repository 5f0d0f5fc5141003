"""OpenAI's chat completions as clients ask for them here: requests in Gemini's words, Gemini's responses in theirs.

Pure. What providers ask of such servers is in `providers/openai_format.py`; tools are in `openai_tools.py`.
https://platform.openai.com/docs/api-reference/chat
"""

import re
from collections.abc import Iterator
from time import time
from typing import Any

import msgspec

from chat.protocol.counts import count_of
from chat.protocol.errors import ApiError, InvalidArgument, NotFound, UnknownModel
from chat.protocol.events import Response, look
from chat.protocol.openai_tools import Fields, call_of, fields_of, gemini_tools_of, part_of
from chat.protocol.prompt import Content, Part

PREFIX = "chatcmpl-"  # of a completion's id; what follows is the stream's id without hyphens
FORMAT = re.compile(r"[A-Za-z0-9.+-]{1,20}")
DATA_URL = re.compile(r"data:([\w/.+-]+);base64,(.*)", re.DOTALL)

REASONS = {"STOP": "stop", "MAX_TOKENS": "length", "MALFORMED_FUNCTION_CALL": "stop", "OTHER": "stop"}
"""What OpenAI calls Gemini's reasons; all others are `content_filter`."""

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
TYPES |= {413: "invalid_request_error", 415: "invalid_request_error", 429: "rate_limit_error"}
CODES = {401: "invalid_api_key", 404: "model_not_found", 413: "context_length_exceeded", 429: "rate_limit_exceeded"}


class StreamOptions(msgspec.Struct):
    """What a stream may hold besides the answer."""

    include_usage: bool = False


class Completion(msgspec.Struct):
    """The body of a request, as far as it means something here; what does not change an answer's words is passed over.

    Raises ValueError for what would change it and cannot be done.
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
    modalities: list[str] | None = None

    def __post_init__(self) -> None:
        if self.n not in (None, 1):
            raise ValueError("`n` is 1: a stream is one answer")
        if self.functions:
            raise ValueError("`functions` is not taken any more: send `tools`")
        if set(self.modalities or ()) - {"text"}:
            raise ValueError("`modalities` is text")

    def generation(self) -> Fields:
        """Gemini's `generationConfig`."""
        found = {
            "maxOutputTokens": self.max_completion_tokens or self.max_tokens,
            "temperature": self.temperature,
            "topP": self.top_p,
            "stopSequences": [self.stop] if isinstance(self.stop, str) else self.stop,
            "seed": self.seed,
            "presencePenalty": self.presence_penalty,
            "frequencyPenalty": self.frequency_penalty,
            **self._format(),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _format(self) -> Fields:
        asked = self.response_format or {}
        schema = fields_of(asked.get("json_schema")).get("schema")
        return json_format(asked.get("type", "text"), schema, "response_format")

    def extra(self) -> Fields:
        """Gemini's `tools` and `toolConfig`."""
        return gemini_tools_of(self.tools or [], self.tool_choice)

    def system(self) -> str:
        """What the system and developer messages say."""
        said = [message for message in self.messages if message.get("role") in ("system", "developer")]
        return "\n\n".join("".join(part["text"] for part in parts_of(message)) for message in said)

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


def json_format(kind: Any, schema: Any, name: str) -> Fields:
    """The fields of `generationConfig` for an answer in JSON; `name` is what the request calls its format."""
    if kind == "text":
        return {}
    if kind not in ("json_object", "json_schema"):
        raise InvalidArgument(f"`{name}` is text, json_object or json_schema.")
    return {"responseMimeType": "application/json", **({"responseJsonSchema": schema} if schema else {})}


def calls_of(message: Fields) -> list[Fields]:
    """The calls in a message of the model's."""
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise InvalidArgument("`tool_calls` is a list of calls.")
    return calls


def is_result(content: Content) -> bool:
    """Whether a content is nothing but results of functions."""
    return all("functionResponse" in part for part in content["parts"])


def content_of(message: Fields, names: dict[str, str]) -> Content:
    """One message as a content; `names` has the function of each call by its id."""
    role = message.get("role")
    if role == "user":
        return {"role": "user", "parts": parts_of(message)}
    if role == "assistant":
        try:
            calls = [part_of(call) for call in calls_of(message)]
        except ValueError:
            raise InvalidArgument("`tool_calls` has a call whose `arguments` are no JSON object.") from None
        said = [part for part in parts_of(message) if part.get("text")]
        return {"role": "model", "parts": [*said, *calls] or [{"text": ""}]}
    if role == "tool":
        number = str(message.get("tool_call_id"))
        if number not in names:
            raise InvalidArgument("`messages` has the result of a call that is not in it: `tool_call_id` names none.")
        text = "".join(part.get("text", "") for part in parts_of(message))
        return {"role": "user", "parts": [{"functionResponse": {"id": number, "name": names[number], **result(text)}}]}
    raise InvalidArgument("`messages` has a `role` that is none of system, developer, user, assistant and tool.")


def result(text: str) -> Fields:
    """What a function gave, as Gemini takes it: an object."""
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
        raise InvalidArgument("`messages` has a `content` that is neither a text nor a list of parts.")
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
        raise InvalidArgument("`messages` has a part that is none of text, image_url and input_audio.")


def photo_of(url: Any, name: str) -> Part:
    """A photo from its `data:` address; `name` is the field that holds that."""
    if not isinstance(url, str) or not (found := DATA_URL.fullmatch(url)):
        raise InvalidArgument(f"Photos by address are not taken: send `data:image/jpeg;base64,…` as the `{name}`.")
    return {"inlineData": {"mimeType": found[1], "data": found[2]}}


def sound_of(item: Fields) -> Part:
    """A sound from a part of the type `input_audio`."""
    sound = item["input_audio"] if isinstance(item.get("input_audio"), dict) else {}
    data, format = sound.get("data"), sound.get("format")
    if not isinstance(data, str) or not isinstance(format, str) or not FORMAT.fullmatch(format):
        raise InvalidArgument('Sounds are sent as `"input_audio": {"data": <base64>, "format": "wav"}`.')
    return {"inlineData": {"mimeType": f"audio/{format.lower()}", "data": data}}


class CompletionChunks:
    """A stream's responses in Gemini's shape → `chat.completion.chunk`s, or one whole `chat.completion`."""

    def __init__(self, number: str, model: str, *, include_usage: bool = False) -> None:
        self._head: Fields = {"id": f"{PREFIX}{number}", "created": int(time()), "model": model}
        self._include_usage = include_usage
        self._begun = False
        self._calls = 0
        self.usage: Fields | None = None

    def of(self, response: Response, seq: int) -> list[Fields]:
        """The chunks of the event `seq`, each with the cursor of a reader who has it: only the last one's is `seq`."""
        parts, reason = end_of(response)
        self.usage = usage_of(response.get("usageMetadata") or {}) or self.usage
        found: list[Fields] = []
        if not self._begun and (parts or reason):
            self._begun = True
            found.append(self._chunk({"role": "assistant", "content": ""}))
        found += [self._chunk(delta) for part in parts if (delta := self._delta(part))]
        if reason:
            found.append(self._chunk({}, "tool_calls" if self._calls else reason_of(reason)))
            if self._include_usage:
                found.append({**self._head, **CHUNK, "choices": [], "usage": self.usage})
        for chunk in found:
            chunk["wondercam"] = {"seq": seq if chunk is found[-1] else seq - 1}
        return found

    def _delta(self, part: Part) -> Fields:
        if "functionCall" in part:
            number, self._calls = self._calls, self._calls + 1
            return {"tool_calls": [{"index": number, **call_of(part, number)}]}
        text = part.get("text") or ""
        return {"reasoning_content" if part.get("thought") else "content": text} if text else {}

    def _chunk(self, delta: Fields, reason: str | None = None) -> Fields:
        chunk = {**self._head, **CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        return {**chunk, "usage": None} if self._include_usage else chunk

    def whole(self, response: Response) -> Fields:
        """The whole answer as one completion."""
        parts, reason = end_of(response)
        said = [part for part in parts if part.get("text")]
        thought = "".join(part["text"] for part in said if part.get("thought"))
        calls = [call_of(part, number) for number, part in enumerate(p for p in parts if "functionCall" in p)]
        text = "".join(part["text"] for part in said if not part.get("thought"))
        message: Fields = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
        message |= ({"reasoning_content": thought} if thought else {}) | ({"tool_calls": calls} if calls else {})
        ended = "tool_calls" if calls else reason_of(reason or "")
        usage = usage_of(response.get("usageMetadata") or {})
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": ended}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": usage}


CHUNK = {"object": "chat.completion.chunk"}


def end_of(response: Response) -> tuple[list[Part], str | None]:
    """A response's parts and finishReason; a blocked prompt ends for safety."""
    blocked = (response.get("promptFeedback") or {}).get("blockReason") and not response.get("candidates")
    return ([], "SAFETY") if blocked else look(response)


def reason_of(reason: str) -> str:
    """Gemini's finishReason as OpenAI's."""
    return REASONS.get(reason, "content_filter")


def usage_of(usage: Fields) -> Fields | None:
    """Gemini's `usageMetadata` as OpenAI's `usage`; thoughts are part of the completion there."""
    if not usage:
        return None
    thoughts = count_of(usage.get("thoughtsTokenCount")) or 0
    prompt = count_of(usage.get("promptTokenCount")) or 0
    completion = (count_of(usage.get("candidatesTokenCount")) or 0) + thoughts
    found: Fields = {"prompt_tokens": prompt, "completion_tokens": completion}
    found["total_tokens"] = count_of(usage.get("totalTokenCount")) or prompt + completion
    return {**found, "completion_tokens_details": {"reasoning_tokens": thoughts}} if thoughts else found


def error_of(error: Fields) -> Fields:
    """Our error's JSON (`{"code", "status", "message"}`) as OpenAI's."""
    code = error.get("code", 500)
    kind = TYPES.get(code, "server_error" if code >= 500 else "invalid_request_error")
    return {"error": {"message": error.get("message"), "type": kind, "param": None, "code": CODES.get(code)}}


def as_json(error: ApiError) -> Fields:
    """An ApiError as OpenAI's JSON."""
    found = error_of(error.as_json()["error"])
    if isinstance(error, NotFound) and not isinstance(error, UnknownModel):
        found["error"]["code"] = None
    return found
