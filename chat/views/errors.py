"""What is answered where no view answers: JSON to the API's clients, a page to people."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views import csrf, defaults
from django.views.decorators.csrf import csrf_exempt

from chat.protocol.errors import ApiError, Internal, InvalidArgument, NotFound, PermissionDenied
from chat.views.api import refusal

NOTHING = "There is nothing at this address."


def for_api(request: HttpRequest) -> bool:
    """Whether the client expects JSON."""
    return request.path_info.startswith(settings.API_PREFIXES)


def answer(request: HttpRequest, error: ApiError, page: Any, *args: Any) -> HttpResponse:
    """The error as JSON, or Django's page for it (templates/<status>.html)."""
    found: HttpResponse = refusal(error) if for_api(request) else page(request, *args)
    return found


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a host or a path that this site does not have."""
    return answer(request, InvalidArgument("The request cannot be read."), defaults.bad_request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return answer(request, PermissionDenied("This is not allowed."), defaults.permission_denied, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: the same for what never was and for what is not yours."""
    return answer(request, NotFound(NOTHING), defaults.page_not_found, exception)


@csrf_exempt
async def nowhere(request: HttpRequest) -> HttpResponse:
    """404 as JSON for an unknown address of an API: with DEBUG Django would answer with a page."""
    return refusal(NotFound(NOTHING))


def failed(request: HttpRequest) -> HttpResponse:
    """500: bland on purpose."""
    return answer(request, Internal("Something went wrong on the server; it has been logged."), defaults.server_error)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form or a page's request without its CSRF token."""
    error = PermissionDenied("The request does not come from the page: send its `X-CSRFToken`.")
    return answer(request, error, csrf.csrf_failure, reason)
