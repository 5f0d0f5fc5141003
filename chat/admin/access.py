"""Who reads what people and models wrote.

    WONDERCAM_REVIEW_TEXTS ── the permission `READ_TEXTS`, or one's own chat ── a reviewer's own switch, in the session

Times and structure need the view permission of conversations and streams alone. Texts are titles, system instructions,
messages, photos, reasons of feedback, requests, events, and the words of errors; searching and filtering by them would
tell them, too.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

READ_TEXTS = "chat.read_texts"
SWITCHED_OFF = "review_texts_off"
"""Set in the session of a reviewer who does not want to see texts."""


def may_read(request: HttpRequest) -> bool:
    """Whether texts of other people are shown in answer to this request."""
    return _is_permitted(request) and not _is_off(request)


def shown(request: HttpRequest, found: Any) -> bool:
    """Whether the texts of this conversation or stream are."""
    is_own = settings.REVIEW_TEXTS and found.user_id == request.user.pk
    return (_is_permitted(request) or is_own) and not _is_off(request)


def check(request: HttpRequest, found: Any) -> None:
    """PermissionDenied where the texts of this conversation or stream are not shown."""
    if not shown(request, found):
        raise PermissionDenied


def context_of(request: HttpRequest) -> dict[str, Any]:
    """What the switch's template needs."""
    return {"may_show_texts": _is_permitted(request), "texts_are_off": _is_off(request)}


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Show texts or hide them, until the sign-in ends; then back to the page of the switch."""
    if request.POST.get("texts") == "hide":
        request.session[SWITCHED_OFF] = True
    else:
        request.session.pop(SWITCHED_OFF, None)
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(back if is_ours else reverse("admin:index"))


def _is_permitted(request: HttpRequest) -> bool:
    return bool(settings.REVIEW_TEXTS) and request.user.has_perm(READ_TEXTS)


def _is_off(request: HttpRequest) -> bool:
    return SWITCHED_OFF in request.session
