"""The app's system check; the ids of all checks are listed in wondercam/checks.py."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from chat.providers.catalogue import Catalogue


@register("wondercam")
def providers_configured(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Whether the variables of the providers can be used. They stop `serve`, and not `migrate`: that one checks what
    has to do with `databases`."""
    try:
        if not databases:
            Catalogue(settings.PROVIDERS)
    except ValueError as wrong:
        return [Error(str(wrong), hint="docs/settings.md, under Models.", id="wondercam.E005")]
    return []
