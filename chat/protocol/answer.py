"""`Answer`: the parts that a stream's events add up to, for the stored message and for readers alike."""

from collections.abc import Iterable
from typing import Any, Self

from chat.protocol import events
from chat.protocol.events import Event, Response

PICTURE_WEIGHT = 32
"""That many bytes of a picture count as one of text, so that the limit of an answer leaves room for a few pictures."""


class Answer:
    """Adds up events 1 and later. `parts` has Gemini's parts, adjacent texts joined; `size` is what a limit bounds."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.usage: dict[str, Any] | None = None
        self.size = 0
        self._texts: list[str] = []
        self._thought = False

    @classmethod
    def of(cls, log: Iterable[Event]) -> Self:
        """The answer of these events; event 0 is not part of it."""
        answer = cls()
        for event in log:
            if event.seq > 0:
                answer.add(events.decode(event.data))
        return answer

    def add(self, response: Response) -> None:
        """Add one event."""
        if events.begins_anew(response):
            self.begin_anew()
        self.take(events.parts_of(response), response.get("usageMetadata"))

    def begin_anew(self) -> None:
        """Drop everything so far, because the answer begins again."""
        self.parts.clear()
        self._texts.clear()
        self._thought = False
        self.size = 0

    def take(self, parts: list[dict[str, Any]], usage: dict[str, Any] | None) -> None:
        """Add parts and usage. Parts other than text, such as pictures and function calls, are kept as they are."""
        for part in parts:
            if len(part) == 1 and "text" in part and not self._thought:  # the common case
                text = part["text"]
                self._texts.append(text)
                self.size += len(text)
            elif "text" in part and set(part) <= {"text", "thought"}:
                self._add_text(part["text"], bool(part.get("thought")))
            else:
                self._close_text()
                self.parts.append(part)
                self.size += weight(part)
        self.size += 1  # so that an endless upstream of empty responses reaches the limit too
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
        """Whether it has no part yet."""
        return not self.parts and not self._texts

    def text(self) -> str | None:
        """The text so far, without thoughts; None if the answer has parts other than text."""
        parts = [*self.parts, *({"text": text, "thought": self._thought} for text in self._texts)]
        if any("text" not in part or part.keys() - {"text", "thought"} for part in parts):
            return None
        return "".join(part["text"] for part in parts if not part.get("thought"))

    def so_far(self) -> list[dict[str, Any]]:
        """All parts so far, while more may follow."""
        text = "".join(self._texts)
        return [*self.parts, *([self._part_of(text)] if text else [])]

    def finished(self) -> list[dict[str, Any]]:
        """All parts of the complete answer."""
        self._close_text()
        return self.parts


def weight(part: dict[str, Any]) -> int:
    """What a part other than plain text adds to the size of an answer."""
    picture = part.get("inlineData")
    data = picture.get("data") if isinstance(picture, dict) else None
    return len(part.get("text", "")) + (len(data) // PICTURE_WEIGHT if isinstance(data, str) else 0)


def same_beginning(one: str, other: str) -> int:
    """The length of the common prefix of two texts."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
