"""The tag `{% modules "chat/page.js" %}`: the page's import map, the modules to preload, and the entry."""

import json
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from wondercam.staticfiles import IMPORTED, modules_of

register = template.Library()
kept = cache(modules_of)


@register.simple_tag(takes_context=True)
def modules(context: Any, entry: str, *more: str) -> SafeString:
    """Return script and link elements with the request's nonce. `more`: further modules to preload."""
    nonce = context["request"].csp_nonce
    names = (modules_of if settings.DEBUG else kept)(entry, *more)
    import_map = json.dumps({"imports": {name: static(path) for name, path in IMPORTED.items()}})
    return format_html(
        '<script type="importmap" nonce="{}">{}</script>{}<script type="module" nonce="{}" src="{}"></script>',
        nonce,
        mark_safe(import_map),  # noqa: S308 # nosec B308 B703 (names and addresses of our own files)
        format_html_join(
            "", '<link rel="modulepreload" nonce="{}" href="{}">', ((nonce, static(name)) for name in names)
        ),
        nonce,
        static(entry),
    )
