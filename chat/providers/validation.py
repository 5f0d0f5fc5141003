"""What a response must look like, whoever sent it, and whether it says anything."""

from typing import Any

from chat.protocol import errors
from chat.protocol.events import Chunk

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
"""The finishReasons that mean no, as the end of a sentence."""

TEXT_OR_NOTHING = (str, type(None))  # `str | None` would be made anew for every token


def unsound(who: str) -> errors.BadUpstream:
    """The error for a response that is not sound."""
    return errors.BadUpstream(f"{who} sent something that is no answer.")


def is_sound(response: Any) -> bool:
    """Whether candidates, content, parts, texts, usage and model are of the types readers need.

    Asked by the providers that pass on what somebody else has written, once for each response.
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


def has_content(chunk: Chunk) -> bool:
    """Whether it adds something: text that is not empty, a thought, a picture, a function call."""
    return any(part.get("text", True) for part in chunk.parts)
