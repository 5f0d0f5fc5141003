"""The first two middlewares, both async: CORS, the security headers of every response, and checks of API requests.

    MIDDLEWARE = [Cors (async), Security (async), … those for pages (wondercam/pages.py) …]

The API needs no session, CSRF check (it accepts Bearer tokens only), messages or appended slashes. What else the
middlewares for pages would do for it is done here: check the host, refuse plain HTTP where HTTPS is required, and set
headers. The policies use the names of Django 6's CSP support, so that they can move there.
"""

import secrets
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from typing import Any, ClassVar

from asgiref.sync import markcoroutinefunction, sync_to_async
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest
from django.http.request import split_domain_port, validate_host
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver
from django.utils.cache import patch_vary_headers

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

PROBES = ("/healthz", "/readyz", "/metrics")
WITH_SESSION = ("/v2/auth/session",)
ADMIN = "/admin/"
DETAILED = (400, 404, 500)
"""Statuses for which Django's page with DEBUG lists all settings or all URLs: the site's own page replaces it."""
EMPTY = 405
"""The status for which Django's response is empty."""

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types wondercam"
)
ADMIN_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)
FEATURES = "geolocation=(), payment=(), usb=()"
CAPTURE = "camera={0}, microphone={0}, display-capture={0}"
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Frame-Options": "DENY",
}


class Cors(CorsMiddleware):
    """django-cors-headers, only for requests with an `Origin`: for others it would only repeat `Vary`."""

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META or not is_direct(request.path_info):
            return super().__call__(request)
        return self.get_response(request)


class Security:
    """Sets `request.csp_nonce`, checks host and scheme of API requests, and sets the security headers."""

    sync_capable: ClassVar = False
    async_capable: ClassVar = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_direct(request.path_info):
            response = refused(request) or await self.get_response(request)
            if not response.streaming:
                response.headers.setdefault("Content-Length", str(len(response.content)))  # type: ignore[attr-defined]
        else:
            request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
            response = await self.get_response(request)
        if is_replaced(response):
            allow = response.headers.get("Allow")
            response = await sync_to_async(error_page)(request, response.status_code)
            if allow:
                response.headers["Allow"] = allow
        harden(request, response)
        return response


def is_replaced(response: HttpResponseBase) -> bool:
    """Whether it is an error response of Django's own, which the site's error page replaces."""
    if response.status_code == EMPTY or (settings.DEBUG and response.status_code in DETAILED):
        return "json" not in response.headers.get("Content-Type", "")
    return False


def is_api(path: str) -> bool:
    """Whether the path belongs to the API."""
    return path.startswith(api_prefixes())


@cache
def api_prefixes() -> tuple[str, ...]:
    """The prefixes from the settings; cached, because each request uses them three times."""
    return tuple(settings.API_PREFIXES)


@lru_cache(maxsize=256)
def is_direct(path: str) -> bool:
    """Whether the path's view needs none of the middlewares for pages; cached, because each of them asks."""
    return (is_api(path) and path not in WITH_SESSION) or path in PROBES


def refused(request: HttpRequest) -> HttpResponseBase | None:
    """The error response to an API request with a wrong host or scheme, or an unknown path; None if it is allowed."""
    try:
        check_way(request)
        resolved(request.path_info)
    except DisallowedHost as wrong:
        return error_page(request, 400, wrong)
    except PermissionDenied as wrong:
        return error_page(request, 403, wrong)
    except Http404 as wrong:
        return error_page(request, 404, wrong)
    return None


@lru_cache(maxsize=256)
def resolved(path: str) -> ResolverMatch:
    """The view of a path; cached, because resolving takes eighty calls. An unknown path raises Http404 every time."""
    return get_resolver().resolve(path)


def check_way(request: HttpRequest) -> None:
    """Refuse an unknown host, and plain HTTP where HTTPS is required. Probes are exempt: they use the IP address."""
    if request.path_info in PROBES:
        return
    if not is_ours(request.META.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS)):
        request.get_host()  # decides, and raises DisallowedHost
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise PermissionDenied("Use HTTPS.")


@lru_cache(maxsize=64)
def is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether the header `Host` names one of the allowed hosts, by Django's rules; cached."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def error_page(request: HttpRequest, status: int, wrong: Exception | None = None) -> HttpResponseBase:
    """The site's error page for this status (`handler404` etc. in wondercam/urls.py)."""
    handler: Callable[..., HttpResponseBase] = get_resolver().resolve_error_handler(status)
    return handler(request) if status == 500 else handler(request, exception=wrong or Exception())


def harden(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the security headers that the response does not have yet."""
    path, headers = request.path_info, response.headers
    hsts = settings.SECURE_HSTS_SECONDS if settings.SECURE_HSTS_SECONDS and request.is_secure() else 0
    ours = of_api(hsts) if is_direct(path) else of_page(path, request.csp_nonce, hsts)  # type: ignore[attr-defined]
    present = {name.lower() for name in headers}
    for name, value in ours.items():
        if name.lower() not in present:
            headers[name] = value
    if "vary" in present and is_direct(path):
        patch_vary_headers(response, ("origin",))


@cache
def of_api(hsts: int) -> dict[str, str]:
    """The headers of the API's responses."""
    policies = {"Content-Security-Policy": API_POLICY, "Permissions-Policy": f"{CAPTURE.format('()')}, {FEATURES}"}
    return {**HEADERS, **policies, "Cache-Control": "no-store", "Vary": "origin", **transport(hsts)}


def of_page(path: str, nonce: str, hsts: int) -> dict[str, str]:
    """The headers of pages, and of API routes with a session."""
    capture = CAPTURE.format("(self)" if path == "/" or path.startswith("/c/") else "()")
    policies = {
        "Content-Security-Policy": policy(path).format(nonce=nonce),
        "Permissions-Policy": f"{capture}, {FEATURES}",
    }
    kept = {} if path.startswith(str(settings.STATIC_URL)) else {"Cache-Control": "no-store"}
    return {**HEADERS, **policies, **kept, **transport(hsts)}


def transport(hsts: int) -> dict[str, str]:
    """The HSTS header, if `hsts` seconds are set."""
    return {"Strict-Transport-Security": f"max-age={hsts}; includeSubDomains"} if hsts else {}


def policy(path: str) -> str:
    """The content security policy for a path."""
    if is_api(path):
        return API_POLICY
    return ADMIN_POLICY if path.startswith(ADMIN) else PAGE_POLICY
