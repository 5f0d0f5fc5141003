"""Whole messages (`message`) in a stream of chat completions, which should have deltas.

Some servers repeat the whole answer at its end, some send the answer so far with every chunk, and some send deltas
under the name `message`.
"""

from typing import Any

from chat.providers.thoughts import said_in

Fields = dict[str, Any]


class WholeMessages:
    """Finds what each message adds to the answer so far."""

    def __init__(self) -> None:
        self._said: str | None = None
        self._pieces = False

    def new_in(self, choice: Fields, *, spoke: bool) -> Fields:
        """Return the message of a choice as a delta. `spoke`: whether text has arrived before it."""
        message: Fields = choice["message"]
        text = said_in(message).text
        if not spoke:
            self._said = text
            return message
        if self._said is None or choice.get("delta"):  # the deltas had its text
            return {name: message[name] for name in ("tool_calls", "images") if message.get(name)}
        if not self._pieces and text.startswith(self._said) and (text != self._said or choice.get("finish_reason")):
            new, self._said = text[len(self._said) :], text
            return {**message, "content": new}
        self._pieces = True
        return message
