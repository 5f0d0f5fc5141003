"""Gemini's responses in the forms in which servers and gateways send them, as the form that Gemini has. No I/O.

proto3's JSON is read as protobuf's own parsers do: null means that a field is absent, enums may be numbers
(https://protobuf.dev/programming-guides/json). Beyond that, wherever text stands it is read:

    {"content": "…"}, {"content": {"text": "…"}}, {"content": [{"text": "…"}]}, {"content": [{"parts": […]}]}
    {"parts": "…"}, {"parts": {"text": "…"}}, {"parts": [[{"text": "…"}]]}, {"parts": ["…"]}, {"text": ["…"]}
    {"output": "…"}    of PaLM (https://ai.google.dev/api/palm), Gemini's predecessor
    {"parts": {}}      an empty list, from gateways that are written in Lua
"""

import json
from typing import Any

from chat.protocol import events
from chat.providers import openai_reasons

Fields = dict[str, Any]

ENVELOPES = ("response", "result", "data")
"""The fields in which gateways put a whole response."""
REASONS = ("", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
"""The names of the finishReasons 0 to 5, which are the same in every version of the API."""
BLOCK_REASONS = ("", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY")
"""The names of the blockReasons 0 to 5."""


def without_nulls(found: Fields) -> Fields:
    """Return an object without its nulls."""
    return {name: value for name, value in found.items() if value is not None}


def enveloped(chunk: Fields) -> Fields | None:
    """Return the response in a gateway's envelope, or in a list of one there; None if there is none."""
    for name in ENVELOPES:
        inner = chunk.get(name)
        inner = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
        if isinstance(inner, dict) and ("candidates" in inner or "error" in inner or name == "response"):
            return inner
    return None


def is_snake_case(chunk: events.Response) -> bool:
    """Whether a response has proto3's original field names, as protobuf's Python library may write them."""
    names: list[str] = [*chunk]
    candidates = chunk.get("candidates")
    for candidate in candidates if isinstance(candidates, list) else ():
        if isinstance(candidate, dict):
            names += candidate
            content = candidate.get("content")
            parts = content.get("parts") if isinstance(content, dict) else None
            for part in parts if isinstance(parts, list) else ():
                names += part if isinstance(part, dict) else ()
    return "_" in "".join(names)


def reason_of(found: Any) -> Any:
    """Return a candidate's finishReason as its name; None if it is unspecified, which does not end the answer. Words in
    small letters are those of other APIs, such as `end_turn`."""
    found = found[0] if isinstance(found, list) and found and isinstance(found[0], str) else found
    found = found.get("name") if isinstance(found, dict) else found
    if isinstance(found, str) and found.strip().islower():
        found = openai_reasons.reason_of(found).replace(openai_reasons.BROKEN_OFF, "OTHER")
    return name_of(found, REASONS, "FINISH_REASON_")


def block_reason_of(found: Any) -> Any:
    """Return a blockReason as its name; None if it is unspecified."""
    return name_of(found, BLOCK_REASONS, "BLOCK_REASON_")


def name_of(found: Any, names: tuple[str, ...], prefix: str) -> Any:
    """Return an enum's value, which may be a number, as its name without the prefix; None if it is unspecified."""
    if isinstance(found, str):
        found = found.strip().upper().removeprefix(prefix)
        found = int(found) if found.isdecimal() and len(found) < 4 else found
    if isinstance(found, int) and not isinstance(found, bool):
        found = names[found] if 0 <= found < len(names) else "OTHER"
    return None if found in ("", "UNSPECIFIED") else found


def candidate_of(found: Fields) -> Fields:
    """Return a candidate with index 0, its finishReason as a name, and its content as an object with a list of parts,
    which are new objects. What has none of these forms is left as it is."""
    candidate = without_nulls(found)
    if candidate.get("index"):
        candidate["index"] = 0
    reason = reason_of(candidate.pop("finishReason", None))
    if reason is not None:
        candidate["finishReason"] = reason
    content = candidate.get("content")
    if not content and "output" in candidate:
        content = candidate.pop("output")
        candidate.setdefault("finishReason", "STOP")  # PaLM has no streams
    elif not content and "text" in candidate:
        content = candidate.pop("text")
    if isinstance(content, dict):
        content = without_nulls(content)
        if "text" in content and "parts" not in content:
            content["parts"] = content.pop("text")
        if "parts" in content:
            content["parts"] = parts_of(content["parts"])
        candidate["content"] = content
    elif isinstance(content, str | list):
        candidate["content"] = {"role": "model", "parts": parts_of(content)}
    return candidate


def parts_of(found: Any) -> Any:
    """Return parts in any of their forms as a list of objects."""
    if isinstance(found, str | dict):
        found = [found] if found else []
    if not isinstance(found, list):
        return found
    parts: list[Any] = []
    for part in found:
        if isinstance(part, list):
            parts += parts_of(part)
        elif isinstance(part, dict) and isinstance(inner := part.get("parts"), list):
            parts += parts_of(inner)
        elif part is not None:
            parts.append(part_of(part))
    return parts


def part_of(part: Any) -> Any:
    """Return a part as an object, its text as a string, and the arguments of its call as an object."""
    if not isinstance(part, dict):
        return {"text": part} if isinstance(part, str) else part
    part = without_nulls(part)
    if isinstance(thought := part.get("thought"), str):
        part["thought"] = thought.lower() != "false"
        if "text" not in part and thought.lower() not in ("true", "false"):
            part["text"] = thought
    if "text" in part:
        part["text"] = text_of(part["text"])
    if isinstance(call := part.get("functionCall"), dict) and not isinstance(call.get("args", {}), dict):
        part["functionCall"] = with_arguments(without_nulls(call))
    return part


def text_of(found: Any) -> Any:
    """Return a text that came in pieces as a string; anything else as it is."""
    is_in_pieces = isinstance(found, list) and all(isinstance(piece, str) for piece in found)
    return "".join(found) if is_in_pieces else found


def with_arguments(call: Fields) -> Fields:
    """Return a function call whose arguments came as JSON in a string, or as an empty list, with them as an object."""
    given = call.pop("args", None)
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}", strict=False)
        except (ValueError, RecursionError):
            return {**call, "args": given}
    return {**call, "args": given} if given else {**call, "args": {}}
