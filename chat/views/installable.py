"""The page as an app: its manifest, its service worker, and the page that stands where the network is away."""

import json
from hashlib import sha256

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.views.look import GROUNDS, look

ICONS = (
    ("chat/icon.svg", "any", "image/svg+xml", "any"),
    ("chat/icons/192.png", "192x192", "image/png", "any"),
    ("chat/icons/512.png", "512x512", "image/png", "any"),
    ("chat/icons/maskable.png", "512x512", "image/png", "maskable"),
)
OFFLINE_FILES = ("chat/frame.css", "chat/account.css", "chat/offline.js", "chat/draft.js", "chat/icon.svg")
"""What the page without a network consists of."""


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """`/manifest.webmanifest` (https://www.w3.org/TR/appmanifest/)."""
    theme = look(request)["theme"] or "light"
    fields = {
        "id": "/",
        "name": "WonderCam",
        "short_name": "WonderCam",
        "description": _("Point a camera at something and talk about it."),
        "start_url": reverse("page"),
        "scope": "/",
        "display": "standalone",
        "background_color": GROUNDS[theme],
        "theme_color": GROUNDS[theme],
        "icons": [
            {"src": static(name), "sizes": sizes, "type": kind, "purpose": purpose}
            for name, sizes, kind, purpose in ICONS
        ],
    }
    return JsonResponse(fields, content_type="application/manifest+json")


@never_cache
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """`/service-worker.js`: a browser takes the new one as soon as a byte of it is another."""
    page = render_to_string("chat/offline.html", {**look(request), "request": request})
    version = sha256(page.replace(nonce_of(request), "").encode()).hexdigest()[:12]
    kept = {
        "version": version,
        "page": reverse("offline"),
        "files": [static(name) for name in OFFLINE_FILES],
        "icon": static("chat/icons/192.png"),
        "ready": _("The answer is ready."),
        "unfinished": _("The answer could not be finished."),
    }
    context = {"kept": json.dumps(kept)}
    return render(request, "chat/service_worker.js", context, content_type="text/javascript; charset=utf-8")


def nonce_of(request: HttpRequest) -> str:
    """What is another one in each page (wondercam/security.py)."""
    return str(getattr(request, "csp_nonce", ""))


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """`/offline`: kept by the service worker."""
    return render(request, "chat/offline.html")
