"""Translates prompts into requests to `/v1/chat/completions`, and its responses into Gemini's. No I/O.

A stream is specified as chunks with `choices[].delta`, one with `finish_reason`, optionally one with `usage` and no
choices, then `[DONE]` (https://platform.openai.com/docs/api-reference/chat). Servers differ in all but the first.
"""

import json
from collections.abc import Iterator
from typing import Any

from chat.protocol import errors, events
from chat.protocol.openai_tools import Calls, call_of, json_schema, tools_of
from chat.protocol.prompt import CHAT_COMPLETION, Content, Part, Prompt, is_sound, type_of
from chat.providers.choice import AnswersChoice
from chat.providers.drawn import pictures_in
from chat.providers.http.decoding import Halves
from chat.providers.http.error_mapping import refused
from chat.providers.message import WholeMessages
from chat.providers.openai_reasons import BROKEN_OFF, reason_of
from chat.providers.openai_usage import usage_beside, usage_of
from chat.providers.thoughts import ThinkTags, parts_of, said_in, written
from chat.providers.validation import unsound

GENERATION = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "stopSequences": "stop",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "maxOutputTokens": "max_tokens",
}


ENVELOPES = ("data", "result", "response", "output")
"""The fields in which gateways put a whole chunk."""


class CompletionReader:
    """Reads chat completion chunks and returns Gemini's responses. Of several choices one is read, see `choice.py`.

    If the request had `tools`, function calls are collected and returned complete, with the finishReason.
    """

    def __init__(self, model: str, who: str, *, tools: bool = False) -> None:
        self.model = model
        self.who = who
        self.reason = ""
        self.broken_off = False
        self.refusal = False
        self.usage: dict[str, int] = {}
        self._spoke = False
        self._choice = AnswersChoice()
        self._others_ended = False
        self._messages = WholeMessages()
        self._calls = Calls() if tools else None
        self._tags = ThinkTags(model)
        self._pictures: set[int] = set()
        self._thoughts, self._texts = Halves(), Halves()

    def glance(self, data: str) -> events.Chunk | None:
        """Return None: there is no fast path, every chunk has to be translated."""
        return None

    def read(self, chunk: dict[str, Any]) -> list[events.Chunk]:
        """Return what this chunk adds to the answer: thoughts, text, a finishReason or usage, if anything. Raises
        BadUpstream for an invalid format, and the mapped ApiError for an error in a choice."""
        counted = isinstance(chunk.get("usage"), dict)
        if counted:
            self.usage = usage_of(chunk["usage"])
        choices = self._choices(chunk)
        if len(choices) == 1:  # nearly always
            given = self._read(choices[0], chunk)
        else:
            given = [each for choice in choices for each in self._read(choice, chunk)]
        return given if given or not (counted and self.reason) else [events.chunk({"usageMetadata": self.usage})]

    def _read(self, choice: dict[str, Any], chunk: dict[str, Any]) -> list[events.Chunk]:
        parts = self._parts(self._delta(choice))
        if error := choice.get("error"):  # OpenRouter's, for an error of its upstream
            raise refused(error, self.who)
        reason = self._reason(choice.get("finish_reason"))
        if reason and not self.usage:
            self.usage = usage_beside(choice, chunk)
        return self._chunks(parts, reason)

    def _choices(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the choices of the answer, without those of other indexes."""
        choices = chunk.get("choices")
        if choices is None:
            inner = next((found for name in ENVELOPES if isinstance(found := chunk.get(name), dict)), {})
            if inner.get("choices") is not None:
                return self._choices(inner)
            native = native_choice(chunk)
            return [native] if native else []
        try:
            found = self._choice.of(choices)
        except ValueError:
            raise unsound(self.who) from None
        if not found and choices and isinstance(choices, list):
            self._others_ended = self._others_ended or any(each and each.get("finish_reason") for each in choices)
        return found

    def _delta(self, choice: dict[str, Any]) -> dict[str, Any]:
        """Return the delta of a choice; for a whole message, what it adds to the text so far."""
        delta, message = choice.get("delta") or {}, choice.get("message") or {}
        if not message and isinstance(delta, dict) and delta:  # nearly always
            return delta
        if isinstance(delta, str):
            delta = {"content": delta}
        if not delta and not message and isinstance(choice.get("text"), str):  # the format of `/v1/completions`
            delta = {"content": choice["text"]}
        if not isinstance(delta, dict) or not isinstance(message, dict):
            raise unsound(self.who)
        return delta if not message or delta.get("content") else self._messages.new_in(choice, spoke=self._spoke)

    def _parts(self, delta: dict[str, Any]) -> list[Part]:
        self.refusal = self.refusal or bool(delta.get("refusal"))
        if self._calls is not None:
            self._calls.add(delta)
        said = said_in(delta)
        tagged = self._tags.feed(self._texts.join(said.text + written(delta.get("refusal"))))
        self._spoke = self._spoke or bool(said.text)
        parts = parts_of(self._thoughts.join(said.thought) + tagged.thought, tagged.text)
        if "images" in delta or isinstance(delta.get("content"), list):
            parts += pictures_in(delta, self._pictures)
        return parts

    def _reason(self, reason: Any) -> str:
        """Return the chunk's finish reason as Gemini's finishReason; "" if it has none."""
        if not reason or not (found := reason_of(reason)):
            return ""
        self.broken_off = self.broken_off or found == BROKEN_OFF
        self.reason = found
        return "SAFETY" if self.refusal else found

    def _chunks(self, parts: list[Part], reason: str = "", *, over: bool = False) -> list[events.Chunk]:
        if self.broken_off:
            reason = ""
        if reason:
            parts += self._rest()
            reason = self._called(parts, reason, over=over)
        if not parts and not reason:
            return []
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}}
        response: events.Response = {"candidates": [candidate], "modelVersion": self.model}
        if reason:
            candidate["finishReason"] = reason
            response["usageMetadata"] = self.usage
        return [events.Chunk(events.encode(response), parts, reason or None, self.usage if reason else None)]

    def _called(self, parts: list[Part], reason: str, *, over: bool) -> str:
        """Add the collected function calls to the parts if they are whole, and return the finishReason that then
        applies. Their last pieces may come after the reason: the others are left to the end."""
        if not self._calls or not (over or self._calls.are_whole):
            return reason
        try:
            parts += self._calls.parts()
        except ValueError:  # the arguments are no JSON, for example because they were cut off
            return reason if reason == "MAX_TOKENS" else "MALFORMED_FUNCTION_CALL"
        return "STOP"

    def _rest(self) -> list[Part]:
        """Return the text that was held because it might be half a character or half a tag."""
        tagged = self._tags.feed(self._texts.rest())
        rest = self._tags.rest()
        return parts_of(self._thoughts.rest() + tagged.thought + rest.thought, tagged.text + rest.text)

    def end(self, *, done: bool) -> list[events.Chunk]:
        """Return the remaining chunks. After `[DONE]` (`done`) an answer without a finish reason is complete; at the
        end of the body it is not. Raises Truncated if the server broke the answer off."""
        if self.broken_off:
            raise errors.Truncated(f"{self.who} ended the answer in the middle.")
        kept = [given for choice in self._choice.rest() for given in self._read(choice, {})]
        if self.reason:
            return [*kept, *self._chunks([], self.reason, over=True)] if self._calls else kept
        ended = done and (self._spoke or self._calls) and not self._others_ended
        return [*kept, *self._chunks(self._rest(), "STOP" if ended else "", over=True)]


def native_choice(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """Return a line of Ollama's `/api/chat` or `/api/generate` as a choice; None for other objects."""
    if not isinstance(chunk.get("done"), bool):
        return None
    message = chunk.get("message") or {"content": chunk.get("response"), "thinking": chunk.get("thinking")}
    return {"delta": message, "finish_reason": (chunk.get("done_reason") or "stop") if chunk["done"] else None}


def request_of(prompt: Prompt) -> dict[str, Any]:
    """Return the body of the request. Adjacent messages of the same role are joined, as many chat templates require."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": prompt.system}] if prompt.system else []
    unanswered: list[dict[str, Any]] = []
    for content in prompt.contents:
        for message in messages_of(content, unanswered):
            if messages and joinable(messages[-1], message):
                messages[-1] = joined(messages[-1], message)
            else:
                messages.append(message)
    body = {ours: prompt.generation[theirs] for theirs, ours in GENERATION.items() if theirs in prompt.generation}
    return {
        "model": prompt.model.name,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **body,
        **response_format(prompt.generation),
        **tools_of(prompt.extra),
        **prompt.extra.get(CHAT_COMPLETION, {}),
    }


def response_format(generation: dict[str, Any]) -> dict[str, Any]:
    """Return the `response_format` field for an answer in JSON, with its schema if there is one; {} for others."""
    schema = generation.get("responseJsonSchema") or json_schema(generation.get("responseSchema"))
    if schema:
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}
    if generation.get("responseMimeType") == "application/json":
        return {"response_format": {"type": "json_object"}}
    return {}


def messages_of(content: Content, unanswered: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a content as messages: first the function results, then text and media with the function calls. Raises
    InvalidArgument for other parts. `unanswered` has the calls before it that have no result yet."""
    parts: list[Part] = content["parts"]
    for part in parts:
        if result := part.get("functionResponse"):
            said = json.dumps(result.get("response"), ensure_ascii=False)
            yield {"role": "tool", "tool_call_id": answered_by(result, unanswered), "content": said}
    role = "assistant" if content.get("role") == "model" else "user"
    if role == "user":
        found = content_of([part for part in parts if "functionResponse" not in part], between="\n\n")
    else:
        found = content_of(spoken(parts))
    calls = [call_of(part, number) for number, part in enumerate(part for part in parts if "functionCall" in part)]
    unanswered += calls
    if found or calls:
        yield {"role": role, "content": found or None, **({"tool_calls": calls} if calls else {})}


def answered_by(result: dict[str, Any], unanswered: list[dict[str, Any]]) -> str:
    """Return the id of the call that a result answers. Google's SDK for Python sends results without one: then it is
    the first call of that function."""
    id, name = result.get("id"), result.get("name")
    for call in unanswered:
        if call["id"] == id or (not id and call["function"]["name"] == name):
            unanswered.remove(call)
            return str(call["id"])
    return id or f"call_0_{name}"


def joinable(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two messages can be joined: they have the same role, and the first has no function calls or results."""
    return first["role"] == second["role"] in ("user", "assistant") and "tool_calls" not in first


def joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Join two messages. Those of the assistant are pieces of one answer: Google's SDK for Python keeps each chunk of a
    stream as a content of its own."""
    between = "" if first["role"] == "assistant" else "\n\n"
    contents = [each["content"] for each in (first, second) if each["content"]]
    if all(isinstance(content, str) for content in contents):
        return {**second, "content": between.join(contents) or None}
    lists = [[{"type": "text", "text": each}] if isinstance(each, str) else each for each in contents]
    return {**second, "content": [part for parts in lists for part in parts]}


def spoken(parts: list[Part]) -> list[Part]:
    """Return the text parts of an earlier answer, with placeholders for media, which servers do not accept in the
    assistant's messages."""
    seen, heard = {"text": "[a picture]"}, {"text": "[a sound]"}
    told = [heard if is_sound(part) else seen if "inlineData" in part else part for part in parts]
    return [part for part in told if "text" in part]


def content_of(parts: list[Part], between: str = "") -> str | list[dict[str, Any]]:
    """Return parts as a message's content: a string if all are text, else a list. Thoughts are omitted. `between` two
    texts: those of an answer are pieces of it, those of a question are not. Raises InvalidArgument for other parts."""
    found: list[dict[str, Any]] = []
    for part in parts:
        if part.get("thought"):
            continue
        if "text" in part:
            found.append({"type": "text", "text": part["text"]})
        elif is_sound(part):
            sound = {"data": part["inlineData"]["data"], "format": type_of(part).removeprefix("audio/")}
            found.append({"type": "input_audio", "input_audio": sound})
        elif "inlineData" in part:
            photo = part["inlineData"]
            url = f"data:{photo['mimeType']};base64,{photo['data']}"
            found.append({"type": "image_url", "image_url": {"url": url}})
        else:
            raise errors.InvalidArgument("This model takes text, photos and sounds only.")
    if all(item["type"] == "text" for item in found):
        return between.join(item["text"] for item in found)
    return found
