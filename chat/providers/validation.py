"""Checks of upstream responses: their types, empty ends, and whether they have content."""

from typing import Any

from chat.protocol import errors
from chat.protocol.events import Chunk, Response, parts_of

REFUSALS = {
    "SAFETY": "for safety reasons",
    "RECITATION": "because the answer would have repeated a text word for word",
    "LANGUAGE": "because it does not know the language",
    "BLOCKLIST": "because the answer would have held a blocked word",
    "PROHIBITED_CONTENT": "because the content is prohibited",
    "SPII": "because the answer would have held personal data",
    "IMAGE_SAFETY": "because the picture would not have been safe",
    "IMAGE_PROHIBITED_CONTENT": "because the picture's content is prohibited",
    "IMAGE_RECITATION": "because the picture would have copied another",
    "IMAGE_OTHER": "with a picture",
    "NO_IMAGE": "with a picture",
    "OTHER": "and does not say why",
}
"""The finishReasons of refusals, each with the end of the sentence about it."""

NO_ANSWER = {
    "MALFORMED_FUNCTION_CALL": "called a tool in a way that nobody can read, and gave no answer",
    "UNEXPECTED_TOOL_CALL": "called a tool that it was not given, and gave no answer",
    "TOO_MANY_TOOL_CALLS": "called tools until it was not allowed to any more, and gave no answer",
}
"""The finishReasons of other failures of the model, each with the end of the sentence about it."""

NORMAL = ("STOP", "MAX_TOKENS")
"""With these an empty answer is valid: the model may have begun with a stop sequence."""

SHELL = {"candidates", "usageMetadata", "modelVersion", "responseId", "createTime"}
"""Fields of responses without content, too; an object with none of them is not a response of Gemini's API."""

TEXT_OR_NOTHING = (str, type(None))  # `str | None` would be built again for every token


def unsound(who: str) -> errors.BadUpstream:
    """Return the error for a response that cannot be parsed, or fails `is_sound`."""
    return errors.BadUpstream(f"{who} sent something that is no answer.")


def is_sound(response: Any) -> bool:
    """Whether candidates, content, parts, texts, usage and model have the types that readers expect.

    Providers call it once for each response that they pass on from outside.
    """
    if not isinstance(response, dict) or not isinstance(response.get("usageMetadata") or {}, dict):
        return False
    if not isinstance(response.get("modelVersion"), TEXT_OR_NOTHING):
        return False
    candidates = response.get("candidates") or []  # null is absent: https://protobuf.dev/programming-guides/json
    if not isinstance(candidates, list):
        return False
    for candidate in candidates:  # no generators and no calls here: this runs for every token
        if not isinstance(candidate, dict) or not isinstance(candidate.get("finishReason"), TEXT_OR_NOTHING):
            return False
        content = candidate.get("content") or {}
        if not isinstance(content, dict) or not isinstance(parts := content.get("parts") or [], list):
            return False
        for part in parts:
            if not isinstance(part, dict) or not isinstance(part.get("text", ""), str):
                return False
    return True


class NoAnswer(errors.BadUpstream):
    """A working upstream ended without an answer: it is retried, and the breaker does not count it as a failure."""


def check_empty_end(reason: str, who: str) -> None:
    """Check the finishReason of an answer without content. Raises Blocked for a refusal, NoAnswer unless it is one of
    NORMAL."""
    if reason in REFUSALS:
        said = {"candidates": [{"finishReason": reason, "index": 0}]}
        raise errors.Blocked(f"{who} refused to answer {REFUSALS[reason]}.", gemini=said)
    if reason not in NORMAL:
        raise NoAnswer(f"{who} {NO_ANSWER.get(reason, 'ended without an answer')}.")


def says_something(response: Response) -> bool:
    """Whether a response without finishReason is worth an event: it has parts, or fields with other content."""
    candidates = response.get("candidates") or []
    return bool(
        parts_of(response)
        or any(set(candidate) - {"content", "index"} for candidate in candidates)
        or (set(response) - SHELL and set(response) & SHELL)
    )


def has_answer(chunk: Chunk) -> bool:
    """Whether a chunk has content of the answer itself, not only thoughts."""
    return any(part.get("text", True) and not part.get("thought") for part in chunk.parts)


def has_content(chunk: Chunk) -> bool:
    """Whether a chunk has content: non-empty text, a thought, a picture or a function call."""
    return any(part.get("text", True) for part in chunk.parts)
