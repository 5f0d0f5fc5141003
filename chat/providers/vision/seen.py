"""`Seen`: the facts of one photo, as `chat.recognition` reports them."""

from dataclasses import dataclass, field, fields
from typing import Any

Fact = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """The facts; their objects have these keys:

    things   name, share (0 to 1), sure, number
    boxes    label, box_2d (top, left, bottom, right, 0 to 1000), confidence
    codes    kind, text
    look     dark, bright, blurred, colours

    `lines` is the text that was read, `either` has lines that may be Latin or Cyrillic, as pairs of both; `coverage` is
    the text's share of the picture, `unread` whether there is text in an unknown script, `left` how many lines were
    not read. `complete` is False if the time ran out.
    """

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
        """Add one line of the recogniser's output; a later one replaces an earlier one with the same keys."""
        for each in fields(self):
            if each.name in fact:
                setattr(self, each.name, fact[each.name])

    @property
    def is_written(self) -> bool:
        """Whether text is the photo's main subject."""
        return self.has_text and self.coverage >= SUBJECT

    @property
    def has_text(self) -> bool:
        """Whether any text could be read, in a certain script or not."""
        return bool(self.lines or self.either)

    def as_json(self) -> Fact:
        """Return the facts for clients, which draw the boxes over the photo and list the codes."""
        return {"things": self.things, "boxes": self.boxes, "codes": self.codes}


SUBJECT = 0.05
"""The share of the picture from which text is its main subject."""
