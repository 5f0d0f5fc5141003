"""The app configurations of the site and of its admin."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps  # not its class, which would be taken for this module's own


class WonderCamConfig(AppConfig):
    """The app of the site: system checks and commands such as `serve`, but no models."""

    name = "wondercam"
    verbose_name = "WonderCam's site"

    def ready(self) -> None:
        """Register the system checks."""
        from wondercam import checks  # noqa: F401 (its decorators register them)


class DaphneConfig(AppConfig):
    """Daphne's app, for its command `runserver`. Its own configuration imports Twisted and Autobahn for every command,
    which takes a quarter of the time in which one starts; `serve` imports what it needs."""

    default = False
    name = "daphne"


class ReviewConfig(admin_apps.AdminConfig):
    """Django's admin, with the site of the review."""

    default = False  # the default of this module is WonderCamConfig; this one is named in INSTALLED_APPS
    default_site = "chat.review_site.ReviewSite"
