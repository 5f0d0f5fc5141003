"""Descriptions that replace hidden texts: the kind and length of each."""

from collections.abc import Sequence
from typing import Any

from chat.protocol.prompt import is_sound


def short_id(pk: Any) -> str:
    """Return the end of an id, which differs between rows; its beginning is the creation time."""
    return f"…{str(pk)[-12:]}"


def title_of(conversation: Any, *, texts: bool) -> str:
    """Return a conversation's title; without `texts` its short id."""
    return (conversation.title or "(untitled)") if texts else f"Conversation {short_id(conversation.pk)}"


def described(parts: Sequence[Any]) -> list[str]:
    """Return a description of each part of a message."""
    return [_described(part if isinstance(part, dict) else {}) for part in parts]


def _described(part: dict[str, Any]) -> str:
    if "attachment" in part or "inlineData" in part:
        return "a sound" if is_sound(part) else "a photo"
    if isinstance(text := part.get("text"), str):
        return f"{'thoughts' if part.get('thought') else 'text'}, {length(text)}"
    return "another part"


def length(text: str) -> str:
    """Return the length of a text in words: `12 characters`."""
    return f"{len(text):,} character{'' if len(text) == 1 else 's'}"
