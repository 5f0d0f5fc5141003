"""Selects one of several choices (OpenAI) or candidates (Gemini) as the answer; requests ask for one only.

It is the one of index 0. Some servers count from 1, send the index as a string, or omit it: then the position in the
list is the index, and without any index 0 the first one that arrived is the answer. Until that is known, others are
held.
"""

from typing import Any

MOST_KEPT = 8
"""So many choices without index 0 are held; then the first index that arrived is the answer."""

FIRST = (0, None)
SAYING = {"delta", "message", "content", "text", "finish_reason", "finishReason"}
"""Fields by which a single choice is recognised that is sent without the list around it."""


class AnswersChoice:
    """Filters the answer's choices from each response's list; `index` is the answer's, None until it is known."""

    def __init__(self) -> None:
        self.index: int | None = None
        self._kept: list[tuple[int, dict[str, Any]]] = []

    def of(self, choices: Any) -> list[dict[str, Any]]:
        """Return the answer's choices of one response, without nulls. Raises ValueError for other types."""
        if self.index == 0 and isinstance(choices, list) and len(choices) == 1:  # nearly always, and for every token
            only = choices[0]
            if isinstance(only, dict) and only.get("index") in FIRST:
                return choices
        found: list[dict[str, Any]] = []
        for place, choice in listed(choices):
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
        """Return the held choices of the index that arrived first, because no index 0 is expected any more."""
        kept, self._kept = self._kept, []
        if self.index is None and kept:
            self.index = kept[0][0]
            return [choice for index, choice in kept if index == self.index]
        return []


def listed(choices: Any) -> list[tuple[int, dict[str, Any]]]:
    """Return the choices with their positions, without nulls. Raises ValueError for other types."""
    if isinstance(choices, dict) and not SAYING.isdisjoint(choices):
        choices = [choices]
    elif choices == {}:  # an empty list, from gateways that are written in Lua
        choices = []
    if not isinstance(choices, list) or not all(isinstance(each, dict | None) for each in choices):
        raise ValueError("no list of choices")
    return [(place, choice) for place, choice in enumerate(choices) if choice is not None]


def index_of(index: Any, place: int) -> int:
    """Return a choice's index, or its position in the list if it has none."""
    if isinstance(index, str) and index.isdecimal() and len(index) < 10:
        index = int(index)
    if not isinstance(index, int):
        return place
    return max(index, 0)
