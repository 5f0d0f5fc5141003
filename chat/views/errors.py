"""Responses to requests that no view answers: JSON for the API, a page for people."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from chat.protocol.errors import ApiError, Internal, InvalidArgument, MethodNotAllowed, NotFound, PermissionDenied
from chat.views.api import JSON, refusal
from chat.views.look import look

NOTHING = "There is nothing at this address."

PAGES: dict[int, tuple[Any, Any]] = {
    400: (
        _("This request cannot be read"),
        _("Its address, or what came with it, is damaged. Go back, reload the page and try again."),
    ),
    403: (
        _("This is not open to you"),
        _("Sign in with an account that may see it, or ask the operator of this site."),
    ),
    404: (
        _("This page is not here"),
        _("The chat may have been deleted, or it belongs to somebody else. If it is yours, sign in and open it again."),
    ),
    405: (
        _("This address is not a page"),
        _("Only a form or a program uses it. Go back, or start from the beginning."),
    ),
    500: (
        _("Something went wrong on the server"),
        _("It has been logged. Reload the page; if it happens again, tell the operator of this site when it was."),
    ),
}
"""The heading and the sentence of each status."""
OUTDATED_FORM = (
    _("This form is out of date"),
    _(
        "You signed in or out since it was opened, or your browser keeps no cookies of this site. "
        "Go back, reload the page, and send it again."
    ),
)


def for_api(request: HttpRequest) -> bool:
    """Whether the client expects JSON: it asks the API, or is a program that has its address wrong, such as one that
    lacks `/v1`."""
    if request.path_info.startswith(settings.API_PREFIXES):
        return True
    sent, wanted = request.content_type or "", request.headers.get("Accept", "")
    return "text/html" not in wanted and JSON in (sent, *(kind.partition(";")[0].strip() for kind in wanted.split(",")))


def page(request: HttpRequest, status: int, words: tuple[Any, Any] | None = None) -> HttpResponse:
    """The page for this status. It uses neither the session nor the database, which may be what failed."""
    heading, sentence = words or PAGES[status]
    with translation.override(translation.get_language_from_request(request)):
        body = loader.render_to_string("error.html", {"heading": heading, "sentence": sentence, **look(request)})
    return HttpResponse(body, status=status)


def answer(request: HttpRequest, error: ApiError, words: tuple[Any, Any] | None = None) -> HttpResponse:
    """The error as JSON or as a page."""
    return refusal(error) if for_api(request) else page(request, error.code, words)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, such as for a `Host` that this site does not have."""
    return answer(request, InvalidArgument("The request cannot be read."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return answer(request, PermissionDenied("This is not allowed."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, the same for unknown and for foreign ids."""
    return answer(request, NotFound(NOTHING))


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """405."""
    return answer(request, MethodNotAllowed("This address answers another method."))


@csrf_exempt
async def nowhere(request: HttpRequest) -> HttpResponse:
    """404 as JSON for unknown paths of the API: with DEBUG Django would answer with its debug page."""
    return refusal(NotFound(NOTHING))


def failed(request: HttpRequest) -> HttpResponse:
    """500, without details."""
    return answer(request, Internal("Something went wrong on the server; it has been logged."))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form or a request of the page without its CSRF token."""
    error = PermissionDenied("The request does not come from the page: send its `X-CSRFToken`.")
    return answer(request, error, OUTDATED_FORM)
