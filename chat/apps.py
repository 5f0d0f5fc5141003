"""The app's entry in Django."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class ChatConfig(AppConfig):
    """The one app of the project."""

    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "WonderCam"

    def ready(self) -> None:
        """Build the providers that are configured; a wrong setting stops the start with its sentence."""
        from chat import providers
        from chat.accounts import signals

        signals.connect()

        try:
            providers.configure(settings.PROVIDERS)
        except ValueError as wrong:
            raise ImproperlyConfigured(str(wrong)) from None
