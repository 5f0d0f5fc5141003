"""Whole messages in a stream of chat completions, where deltas should be.

Some servers send the whole answer again at its end, some send it as far as it goes with every chunk, some only call
their deltas messages.
"""

from typing import Any

from chat.providers.thoughts import said_in

Fields = dict[str, Any]


class WholeMessages:
    """Finds what each message adds to what has been said."""

    def __init__(self) -> None:
        self._said: str | None = None
        self._pieces = False

    def new_in(self, choice: Fields, *, spoke: bool) -> Fields:
        """The message of a choice as a delta. `spoke` is whether any text came before it."""
        message: Fields = choice["message"]
        text = said_in(message).text
        if not spoke:
            self._said = text
            return message
        if self._said is None or choice.get("delta"):  # deltas have said it all but for the calls
            return {"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {}
        if not self._pieces and text.startswith(self._said) and (text != self._said or choice.get("finish_reason")):
            new, self._said = text[len(self._said) :], text
            return {**message, "content": new}
        self._pieces = True
        return message
