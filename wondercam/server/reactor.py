"""Twisted's reactor on an asyncio loop, called by the loop without a detour."""

# Twisted and Daphne carry few types: what is inherited from them is unchecked.
# mypy: disable-error-code="misc, no-untyped-call, override"

from typing import Any

from twisted.internet.asyncioreactor import AsyncioSelectorReactor


class Reactor(AsyncioSelectorReactor):
    """Twisted's own says at each event in whose name its log is to speak: ten calls, and a log that is silent."""

    def addReader(self, reader: Any) -> None:
        if reader in self._readers:
            return
        descriptor = reader.fileno()
        try:
            self._asyncioEventloop.add_reader(descriptor, self._readOrWrite, reader, True)
        except OSError:  # no socket: Twisted knows what to do
            super().addReader(reader)
        else:
            self._readers[reader] = descriptor
