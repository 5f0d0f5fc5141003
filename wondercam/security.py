"""The headers of every response, and the short way to the API: the only middlewares on a stream's path, both async.

    MIDDLEWARE = [Cors (async), Security (async), … the page's stack …]

Django's own middlewares are sync at heart: under ASGI each costs a hop into a thread, and the first hop pins that
thread to the request until its stream ends. The API needs none of them: it has no session, no CSRF (Bearer only),
no messages, no slash to append. So its requests go straight to their view from here, and what those middlewares
would have done for it is done here: the host is checked, plain HTTP refused where HTTPS is the rule, headers set.

The policies follow the names of Django 6's own CSP support, so that they can move there.
"""

import secrets
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from typing import Any, ClassVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.http.response import HttpResponseBase, ResponseHeaders
from django.urls import ResolverMatch, URLResolver, get_resolver
from django.utils.cache import patch_vary_headers

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
Headers = dict[str, tuple[str, str]]
"""By the name in small letters: the name as it is sent, and the value."""

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
    """django-cors-headers, for requests that say their origin: of the others it would only repeat `Vary`."""

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META or not is_direct(request.path_info):
            return super().__call__(request)
        return self.get_response(request)


class Security:
    """Sets `request.csp_nonce`, sends the API straight to its views, and hardens every response."""

    sync_capable: ClassVar = False
    async_capable: ClassVar = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_direct(request.path_info):
            response = await direct(request)
        else:
            request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
            response = await self.get_response(request)
        harden(request, response)
        return response


def is_api(path: str) -> bool:
    """Whether the path is the API's."""
    return path.startswith(api_prefixes())


@cache
def api_prefixes() -> tuple[str, ...]:
    """Asked three times a request, and of Django's settings two calls each."""
    return tuple(settings.API_PREFIXES)


def is_direct(path: str) -> bool:
    """Whether the path's view needs nothing of the page's stack."""
    return (is_api(path) and path not in WITH_SESSION) or path in PROBES


async def direct(request: HttpRequest) -> HttpResponseBase:
    """The view's response, found and called without any other middleware."""
    resolver = get_resolver()
    try:
        check_way(request)
        request.resolver_match, view = resolved(resolver, request.path_info)
    except DisallowedHost as wrong:
        return error_page(request, 400, wrong)
    except PermissionDenied as wrong:
        return error_page(request, 403, wrong)
    except Http404 as wrong:
        return error_page(request, 404, wrong)
    match = request.resolver_match
    response: HttpResponseBase = await view(request, *match.args, **match.kwargs)
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
    return response


@lru_cache(maxsize=256)
def resolved(resolver: URLResolver, path: str) -> tuple[ResolverMatch, Callable[..., Any]]:
    """The path's view, and how to await it; kept, since to find it takes eighty calls. What is not found raises, and
    is not kept."""
    match = resolver.resolve(path)
    return match, match.func if iscoroutinefunction(match.func) else sync_to_async(match.func)


def check_way(request: HttpRequest) -> None:
    """Refuse a host that is not ours, and plain HTTP where HTTPS is the rule. Probes come by address, learn nothing."""
    if request.path_info in PROBES:
        return
    if not is_ours(request.META.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS)):
        request.get_host()  # which has the last word, and raises
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise PermissionDenied("Use HTTPS.")


@lru_cache(maxsize=64)
def is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether the header `Host` names one of our hosts, as Django sees it; kept, since clients repeat themselves."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def error_page(request: HttpRequest, status: int, wrong: Exception) -> HttpResponseBase:
    """The site's own answer for that status (`handler404` … in the sitemap)."""
    handler: Callable[..., HttpResponseBase] = get_resolver().resolve_error_handler(status)
    return handler(request, exception=wrong)


def harden(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set what the response does not set by itself."""
    path, headers = request.path_info, response.headers
    hsts = settings.SECURE_HSTS_SECONDS if settings.SECURE_HSTS_SECONDS and request.is_secure() else 0
    if not is_direct(path):
        ours = checked(of_page(path, request.csp_nonce, hsts))  # type: ignore[attr-defined]
    elif "vary" in headers._store:
        ours = of_api(hsts)
        patch_vary_headers(response, ("origin",))
    else:
        ours = of_api(hsts)
    headers._store = ours | headers._store


def checked(headers: dict[str, str]) -> Headers:
    """Headers as Django's responses keep them, which checks each name and value whenever it is set."""
    return ResponseHeaders(headers)._store


@cache
def of_api(hsts: int) -> Headers:
    """The API's headers, always the same."""
    policies = {"Content-Security-Policy": API_POLICY, "Permissions-Policy": f"{CAPTURE.format('()')}, {FEATURES}"}
    return checked({**HEADERS, **policies, "Cache-Control": "no-store", "Vary": "origin", **transport(hsts)})


def of_page(path: str, nonce: str, hsts: int) -> dict[str, str]:
    """A page's headers, or those of an API route that has a session."""
    capture = CAPTURE.format("(self)" if path == "/" or path.startswith("/c/") else "()")
    policies = {
        "Content-Security-Policy": policy(path).format(nonce=nonce),
        "Permissions-Policy": f"{capture}, {FEATURES}",
    }
    kept = {} if path.startswith(str(settings.STATIC_URL)) else {"Cache-Control": "no-store"}
    return {**HEADERS, **policies, **kept, **transport(hsts)}


def transport(hsts: int) -> dict[str, str]:
    """What a browser is told over HTTPS: to come by HTTPS for that many seconds."""
    return {"Strict-Transport-Security": f"max-age={hsts}; includeSubDomains"} if hsts else {}


def policy(path: str) -> str:
    """The content security policy for a path of the page's stack."""
    if is_api(path):
        return API_POLICY
    return ADMIN_POLICY if path.startswith(ADMIN) else PAGE_POLICY
