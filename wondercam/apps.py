"""The site's entry in Django."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps  # not its class, which would be taken for this module's own


class WonderCamConfig(AppConfig):
    """How the site is put together: no models, but system checks and the command `serve`."""

    name = "wondercam"
    verbose_name = "WonderCam's site"

    def ready(self) -> None:
        """Register the system checks."""
        from wondercam import checks  # noqa: F401 (its decorators register them)


class ReviewConfig(admin_apps.AdminConfig):
    """Django's admin, with the site of the review."""

    default = False  # of this module: it is named in the settings
    default_site = "chat.review_site.ReviewSite"
