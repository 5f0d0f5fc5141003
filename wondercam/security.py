"""The headers of every response, and the short way to the API: one async middleware, the only one on a stream's path.

    MIDDLEWARE = [CorsMiddleware (async), Security (async), … the page's stack …]

Django's own middlewares are sync at heart: under ASGI each costs a hop into a thread, and the first hop pins that
thread to the request until its stream ends. The API needs none of them: it has no session, no CSRF (Bearer only),
no messages, no slash to append. So its requests go straight to their view from here, and what those middlewares
would have done for it is done here: the host is checked, plain HTTP refused where HTTPS is the rule, headers set.

The policies follow the names of Django 6's own CSP support, so that they can move there.
"""

import secrets
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import ClassVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, URLResolver, get_resolver

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

PROBES = ("/healthz", "/readyz", "/metrics")
WITH_SESSION = ("/v2/auth/session",)
ADMIN = "/admin/"

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types wondercam"
)
ADMIN_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)
FEATURES = "microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Frame-Options": "DENY",
}


class Security:
    """Sets `request.csp_nonce`, sends the API straight to its views, and hardens every response."""

    sync_capable: ClassVar = False
    async_capable: ClassVar = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        response = await (direct(request) if is_direct(request.path_info) else self.get_response(request))
        harden(request, response)
        return response


def is_api(path: str) -> bool:
    """Whether the path is the API's."""
    return path.startswith(settings.API_PREFIXES)


def is_direct(path: str) -> bool:
    """Whether the path's view needs nothing of the page's stack."""
    return (is_api(path) and path not in WITH_SESSION) or path in PROBES


async def direct(request: HttpRequest) -> HttpResponseBase:
    """The view's response, found and called without any other middleware."""
    resolver = get_resolver()
    try:
        check_way(request)
        match = request.resolver_match = resolved(resolver, request.path_info)
    except DisallowedHost as wrong:
        return error_page(request, 400, wrong)
    except PermissionDenied as wrong:
        return error_page(request, 403, wrong)
    except Http404 as wrong:
        return error_page(request, 404, wrong)
    view = match.func if iscoroutinefunction(match.func) else sync_to_async(match.func)
    response: HttpResponseBase = await view(request, *match.args, **match.kwargs)
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
    return response


@lru_cache(maxsize=256)
def resolved(resolver: URLResolver, path: str) -> ResolverMatch:
    """The path's view; kept, since to find it takes eighty calls. What is not found raises, and is not kept."""
    return resolver.resolve(path)


def check_way(request: HttpRequest) -> None:
    """Refuse a host that is not ours, and plain HTTP where HTTPS is the rule. Probes come by address, learn nothing."""
    if request.path_info in PROBES:
        return
    request.get_host()
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise PermissionDenied("Use HTTPS.")


def error_page(request: HttpRequest, status: int, wrong: Exception) -> HttpResponseBase:
    """The site's own answer for that status (`handler404` … in the sitemap)."""
    handler: Callable[..., HttpResponseBase] = get_resolver().resolve_error_handler(status)
    return handler(request, exception=wrong)


def harden(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set what the response does not set by itself."""
    path, headers = request.path_info, response.headers
    camera = "(self)" if path == "/" or path.startswith("/c/") else "()"
    wanted = {
        **HEADERS,
        "Content-Security-Policy": policy(path).format(nonce=request.csp_nonce),  # type: ignore[attr-defined]
        "Permissions-Policy": f"camera={camera}, {FEATURES}",
    }
    if not path.startswith(str(settings.STATIC_URL)):
        wanted["Cache-Control"] = "no-store"
    if settings.SECURE_HSTS_SECONDS and request.is_secure():
        wanted["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
    given = set(map(str.lower, headers))  # at once: Django raises and catches for every header that is not there
    for name, value in wanted.items():
        if name.lower() not in given:
            headers[name] = value


def policy(path: str) -> str:
    """The content security policy for a path."""
    if is_direct(path) or is_api(path):
        return API_POLICY
    return ADMIN_POLICY if path.startswith(ADMIN) else PAGE_POLICY
