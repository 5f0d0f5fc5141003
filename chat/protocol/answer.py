"""The answer that a stream's events add up to: what is stored with the message is what a reader has put together."""

from collections.abc import Iterable
from typing import Any, Self

from chat.protocol import events
from chat.protocol.events import Event, Response

PICTURE_WEIGHT = 32
"""A picture's bytes for one of text: the bound of an answer's length leaves room for a few, and for no flood."""


class Answer:
    """Takes events 1 and up, one by one; `parts` are Gemini's, neighbouring texts joined; `size` is what is bounded."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.usage: dict[str, Any] | None = None
        self.size = 0
        self._texts: list[str] = []
        self._thought = False

    @classmethod
    def of(cls, log: Iterable[Event]) -> Self:
        """The answer of a stored log; event 0 is not part of it."""
        answer = cls()
        for event in log:
            if event.seq > 0:
                answer.add(events.decode(event.data))
        return answer

    def add(self, response: Response) -> None:
        """Apply one event."""
        if events.begins_anew(response):
            self.begin_anew()
        self.take(events.parts_of(response), response.get("usageMetadata"))

    def begin_anew(self) -> None:
        """Forget what was said: another answer takes its place."""
        self.parts.clear()
        self._texts.clear()
        self._thought = False
        self.size = 0

    def take(self, parts: list[dict[str, Any]], usage: dict[str, Any] | None) -> None:
        """The same. A photo or a call is a part of its own; what has no word here is kept as it is."""
        for part in parts:
            if len(part) == 1 and "text" in part and not self._thought:  # nearly always
                text = part["text"]
                self._texts.append(text)
                self.size += len(text)
            elif "text" in part and set(part) <= {"text", "thought"}:
                self._add_text(part["text"], bool(part.get("thought")))
            else:
                self._close_text()
                self.parts.append(part)
                self.size += weight(part)
        self.size += 1  # an upstream that goes on saying nothing must come to its end too
        self.usage = usage or self.usage

    def _add_text(self, text: str, thought: bool) -> None:
        if thought != self._thought:
            self._close_text()
            self._thought = thought
        self._texts.append(text)
        self.size += len(text)

    def _close_text(self) -> None:
        if text := "".join(self._texts):
            self.parts.append(self._part_of(text))
        self._texts.clear()

    def _part_of(self, text: str) -> dict[str, Any]:
        return {"text": text, "thought": True} if self._thought else {"text": text}

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it has come yet."""
        return not self.parts and not self._texts

    def text(self) -> str | None:
        """What was said so far, without thoughts; None where it holds more than text."""
        parts = [*self.parts, *({"text": text, "thought": self._thought} for text in self._texts)]
        if any("text" not in part or part.keys() - {"text", "thought"} for part in parts):
            return None
        return "".join(part["text"] for part in parts if not part.get("thought"))

    def so_far(self) -> list[dict[str, Any]]:
        """All parts, the last text included, while more of it may come."""
        text = "".join(self._texts)
        return [*self.parts, *([self._part_of(text)] if text else [])]

    def finished(self) -> list[dict[str, Any]]:
        """All parts, once nothing more will come."""
        self._close_text()
        return self.parts


def weight(part: dict[str, Any]) -> int:
    """What a part that is not plain text adds to an answer's size."""
    picture = part.get("inlineData")
    data = picture.get("data") if isinstance(picture, dict) else None
    return len(part.get("text", "")) + (len(data) // PICTURE_WEIGHT if isinstance(data, str) else 0)


def same_beginning(one: str, other: str) -> int:
    """How many characters two texts have in common before their first difference."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
