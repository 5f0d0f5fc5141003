"""The app's entry in Django."""

from contextlib import suppress

from django.apps import AppConfig
from django.conf import settings


class ChatConfig(AppConfig):
    """The one app of the project."""

    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "WonderCam"

    def ready(self) -> None:
        """Build the providers that are configured, and what the process holds.

        Where a variable of a provider is wrong there is none: chat.checks says so, and `serve` does not start, while
        `migrate` works.
        """
        from chat import checks, providers  # noqa: F401 (checks: its decorator registers one)
        from chat.accounts import signals
        from chat.process import Process

        signals.connect()

        with suppress(ValueError):
            providers.configure(settings.PROVIDERS)
        self.process = Process()
