"""The facts of one photo, as they come from `chat.recognition`."""

from dataclasses import dataclass, field, fields
from typing import Any

Fact = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """`things` have name, share, sure and number; `boxes` label, box_2d and confidence; `codes` kind and text; `look`
    dark, bright, blurred and colours; `either` lines that may be
    Latin or Cyrillic, in both. `complete` is False where time ran out before everything was looked at."""

    things: list[Fact] = field(default_factory=list)
    boxes: list[Fact] = field(default_factory=list)
    codes: list[Fact] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    either: list[list[str]] = field(default_factory=list)
    coverage: float = 0.0
    unread: bool = False
    left: int = 0
    look: Fact = field(default_factory=dict)
    complete: bool = False

    def add(self, fact: Fact) -> None:
        """Take in one line of the recogniser's; later ones of a kind replace earlier ones."""
        for each in fields(self):
            if each.name in fact:
                setattr(self, each.name, fact[each.name])

    @property
    def is_written(self) -> bool:
        """Whether its text is what the photo is about."""
        return self.has_text and self.coverage >= SUBJECT

    @property
    def has_text(self) -> bool:
        """Whether any of its text could be read, for certain or not."""
        return bool(self.lines or self.either)

    def as_json(self) -> Fact:
        """For clients: what can be drawn over the photo or offered beside it."""
        return {"things": self.things, "boxes": self.boxes, "codes": self.codes}


SUBJECT = 0.05
"""The share of a picture from which on text is its subject."""
