"""Decides which response ends an answer: the last one with a `finishReason`, if nothing follows it.

Some models send STOP with every response, before a round of tool calls, or after their thoughts. So the content of a
response with a reason is passed on, and the reason is kept until the answer is over. Usually the end of the body has
arrived with it: the content is held until everything that has arrived is read, so that the last words and the end are
one event.
"""

from typing import Any

from chat.protocol import events
from chat.protocol.events import Chunk
from chat.providers import validation


class AttemptEnd:
    """Takes an attempt's chunks in order; `usage` is the latest of theirs.

    While it `holds` the content of a response with a reason, that is returned by `release`, by the next `take`, or by
    `last` together with the reason.
    """

    def __init__(self) -> None:
        self.usage: dict[str, Any] | None = None
        self._final: events.Response | None = None
        self.holds = False
        self._reasons = 0
        self._quiet = False

    @property
    def seen(self) -> bool:
        """Whether a reason has arrived."""
        return self._final is not None

    @property
    def certain(self) -> bool:
        """Whether the answer is complete even if the connection is cut now: its only reason came after all content."""
        return self._reasons == 1 and self._quiet

    def take(self, chunk: Chunk) -> list[Chunk]:
        """The chunks that can be passed on now that this one has arrived."""
        released = self.release()
        self.usage = chunk.usage or self.usage
        if chunk.reason is not None:
            self._final = events.decode(chunk.data)
            self._reasons += 1
            self.holds = bool(chunk.parts)
            self._quiet = not self.holds
            return released
        self._quiet = not validation.has_content(chunk)
        return released if self._quiet and says_nothing(chunk) else [*released, chunk]

    def release(self) -> list[Chunk]:
        """The held content, without its reason."""
        if not self.holds or self._final is None:
            return []
        self.holds, response = False, self._final
        candidate = response["candidates"][0]
        # Other fields, such as the grounding, are expected in the last response: they are sent in both.
        self._final = {**response, "candidates": [{**candidate, "content": {"role": "model", "parts": []}}]}
        said = {name: value for name, value in candidate.items() if name not in ("finishReason", "finishMessage")}
        return [events.chunk({**response, "candidates": [said]})]

    def last(self) -> Chunk | None:
        """The chunk that ends the answer, with its reason and the usage; None if no reason has arrived."""
        self.holds = False
        return None if self._final is None else events.chunk({**self._final, "usageMetadata": self.usage or {}})


def says_nothing(chunk: Chunk) -> bool:
    """Whether a chunk has nothing but token counts."""
    return not validation.says_something(events.decode(chunk.data))
