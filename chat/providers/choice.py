"""Which of several choices (OpenAI) or candidates (Gemini) is the answer: nobody asks for more than one here.

Index 0 is. Some servers count from 1, write the number as text, or leave it out: then the place in the list counts, and
where no 0 comes at all, the index that came first. Until that is known, what the others say is kept.
"""

from typing import Any

MOST_KEPT = 8
"""Choices without one of index 0, before the first of them is taken for the answer."""

FIRST = (0, None)
SAYING = {"delta", "message", "content", "text", "finish_reason", "finishReason"}
"""What an object has that stands in place of a list of them."""


class AnswersChoice:
    """Picks the answer's choices out of lists of choices, in their order; `index` is theirs, once it is known."""

    def __init__(self) -> None:
        self.index: int | None = None
        self._kept: list[tuple[int, dict[str, Any]]] = []

    def of(self, choices: Any) -> list[dict[str, Any]]:
        """Those of one response; raises ValueError for what holds anything but objects. Null is no choice."""
        if self.index == 0 and isinstance(choices, list) and len(choices) == 1:  # nearly always, and for every token
            only = choices[0]
            if isinstance(only, dict) and only.get("index") in FIRST:
                return choices
        if isinstance(choices, dict) and not SAYING.isdisjoint(choices):
            choices = [choices]
        if not isinstance(choices, list):
            raise ValueError("no list of choices")
        found: list[dict[str, Any]] = []
        for place, choice in enumerate(choices):
            if choice is None:
                continue
            if not isinstance(choice, dict):
                raise ValueError("no choice")
            index = index_of(choice.get("index"), place)
            if index == 0 and self.index is None:
                self.index = 0
                self._kept.clear()
            if index == self.index:
                found.append(choice)
            elif self.index is None:
                self._kept.append((index, choice))
        return found if len(self._kept) < MOST_KEPT else self.rest()

    def rest(self) -> list[dict[str, Any]]:
        """What was kept of the index that came first, once no index 0 is to be expected any more."""
        kept, self._kept = self._kept, []
        if self.index is None and kept:
            self.index = kept[0][0]
            return [choice for index, choice in kept if index == self.index]
        return []


def index_of(index: Any, place: int) -> int:
    """A choice's number; its place in the list where it has none."""
    if isinstance(index, str) and index.isdecimal() and len(index) < 10:
        index = int(index)
    if not isinstance(index, int):
        return place
    return max(index, 0)
