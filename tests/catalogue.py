"""`providers`: this process's catalogue of providers, for tests: `configure` makes another one."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from chat.process import this_process


class ProcessProviders:
    """What is asked of it is asked of the catalogue that the process has at that moment."""

    is_changed = False

    def configure(self, variables: Mapping[str, str]) -> None:
        """Make the catalogue of these settings, until the test is over. Raises ValueError."""
        self.is_changed = True
        this_process().configure(variables)

    def restore(self) -> None:
        """Make that of the site's settings again, where a test has made another."""
        if self.is_changed:
            self.is_changed = False
            this_process().configure(settings.PROVIDERS)

    def __getattr__(self, name: str) -> Any:
        return getattr(this_process().catalogue, name)


providers: Any = ProcessProviders()
