"""What stands in place of texts where they are hidden: what each thing is, and how long."""

from collections.abc import Sequence
from typing import Any

from chat.protocol.prompt import is_sound


def short_id(pk: Any) -> str:
    """Enough of an id to tell one from another: its end, since it begins with the time of its making."""
    return f"…{str(pk)[-12:]}"


def title_of(conversation: Any, *, texts: bool) -> str:
    """What a conversation is called: its title, or where texts are hidden its id."""
    return (conversation.title or "(untitled)") if texts else f"Conversation {short_id(conversation.pk)}"


def described(parts: Sequence[Any]) -> list[str]:
    """What each part of a message is, in place of what it says."""
    return [_described(part if isinstance(part, dict) else {}) for part in parts]


def _described(part: dict[str, Any]) -> str:
    if "attachment" in part or "inlineData" in part:
        return "a sound" if is_sound(part) else "a photo"
    if isinstance(text := part.get("text"), str):
        return f"{'thoughts' if part.get('thought') else 'text'}, {length(text)}"
    return "another part"


def length(text: str) -> str:
    """How long a hidden text is."""
    return f"{len(text):,} character{'' if len(text) == 1 else 's'}"
