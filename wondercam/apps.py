"""The site's entry in Django."""

from django.apps import AppConfig


class WonderCamConfig(AppConfig):
    """How the site is put together: no models, but system checks and the command `serve`."""

    name = "wondercam"
    verbose_name = "WonderCam's site"

    def ready(self) -> None:
        """Register the system checks."""
        from wondercam import checks  # noqa: F401 (its decorators register them)
