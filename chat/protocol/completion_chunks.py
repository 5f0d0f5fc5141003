"""Gemini's responses and errors in the words of OpenAI's chat completions. Pure; requests are in `completions.py`.

https://platform.openai.com/docs/api-reference/chat
"""

from time import time

from chat.protocol.counts import count_of
from chat.protocol.errors import ApiError, NotFound, UnknownModel
from chat.protocol.events import Response, look
from chat.protocol.openai_tools import Fields, call_of
from chat.protocol.prompt import Part

PREFIX = "chatcmpl-"  # of a completion's id; what follows is the stream's id without hyphens

REASONS = {"STOP": "stop", "MAX_TOKENS": "length", "MALFORMED_FUNCTION_CALL": "stop", "OTHER": "stop"}
"""What OpenAI calls Gemini's reasons; all others are `content_filter`."""

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
TYPES |= {413: "invalid_request_error", 415: "invalid_request_error", 429: "rate_limit_error"}
CODES = {401: "invalid_api_key", 404: "model_not_found", 413: "context_length_exceeded", 429: "rate_limit_exceeded"}


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
