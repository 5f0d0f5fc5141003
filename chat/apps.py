"""The app's entry in Django."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """The one app of the project."""

    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "WonderCam"
