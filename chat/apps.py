"""The app's entry in Django."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """The one app of the project."""

    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "WonderCam"

    def ready(self) -> None:
        """Connect signals, register checks, and make what the process holds.

        Where a variable of a provider is wrong there is none: chat.checks says so, and `serve` does not start, while
        `migrate` works.
        """
        from chat import checks  # noqa: F401 (its decorator registers one)
        from chat.accounts import signals
        from chat.process import Process

        signals.connect()
        self.process = Process()
