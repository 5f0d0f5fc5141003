"""How pages look for this reader: light or dark, the size of the text, and the language's direction.

The choices are stored in cookies (`static/chat/settings.js`), so that the server's page has them from its first byte:
nothing flashes, and no inline script is needed.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

THEMES = {"": _("System"), "light": _("Light"), "dark": _("Dark")}
TEXT_SIZES = {"small": _("Small"), "": _("Normal"), "large": _("Large"), "largest": _("Largest")}
"""The choices; "" is the browser's default."""
GROUNDS = {"light": "#f6f7f5", "dark": "#101413"}
"""The colour of a browser's bars, as `--ground` in frame.css."""


def look(request: HttpRequest) -> dict[str, Any]:
    """A context processor for the templates. A cookie with any other value is ignored."""
    theme = request.COOKIES.get("theme", "")
    text_size = request.COOKIES.get("text_size", "")
    return {
        "theme": theme if theme in THEMES else "",
        "text_size": text_size if text_size in TEXT_SIZES else "",
        "themes": THEMES.items(),
        "text_sizes": TEXT_SIZES.items(),
        "grounds": GROUNDS,
        "languages": settings.LANGUAGES,
    }
