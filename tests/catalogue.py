"""`providers`: this process's catalogue of providers, for tests: `configure` makes another one."""

from collections.abc import Mapping
from typing import Any

from chat.process import this_process


class ProcessProviders:
    """What is asked of it is asked of the catalogue that the process has at that moment."""

    def configure(self, settings: Mapping[str, str]) -> None:
        """Make the catalogue of these settings. Raises ValueError."""
        this_process().configure(settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(this_process().catalogue, name)


providers: Any = ProcessProviders()
