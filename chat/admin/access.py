"""Access to texts in the review. All of these conditions have to hold:

    WONDERCAM_REVIEW_TEXTS is on
    the reviewer has the permission `READ_TEXTS`, or it is the reviewer's own chat
    the reviewer has not switched texts off (in the session)
    with WONDERCAM_REVIEW_REASON, there is a reason to read another user's chat: its queue, or what the reviewer wrote

Times and structure only need the view permission of conversations and streams. Texts are titles, system instructions,
messages, photos, reasons of feedback, requests, events, and messages of errors. Searching and filtering by texts is
restricted as well, since it would disclose them.
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
"""The session's key that is set if the reviewer has switched texts off."""
REASONS = "review_reasons"
"""The session's key of the reviewer's reasons, by conversation id."""
MOST_REASONS = 100
LONGEST_REASON = 200


def may_read(request: HttpRequest) -> bool:
    """Whether lists show texts of other users, and search by them, for this request."""
    return _is_permitted(request) and not _is_off(request) and not settings.REVIEW_REASON


def shown(request: HttpRequest, found: Any) -> bool:
    """Whether the texts of this conversation or stream are shown for this request."""
    if _is_off(request):
        return False
    if found.user_id == request.user.pk:
        return bool(settings.REVIEW_TEXTS)
    return _is_permitted(request) and not (settings.REVIEW_REASON and not reason(request, found))


def reason(request: HttpRequest, found: Any) -> str:
    """Return the reviewer's reason for this conversation or stream; "" if there is none."""
    return str(request.session.get(REASONS, {}).get(_conversation_of(found), ""))


def give_reason(request: HttpRequest, conversation: str, why: str) -> None:
    """Store the reviewer's reason for a conversation in the session, which keeps the newest `MOST_REASONS`."""
    kept = {**request.session.get(REASONS, {}), conversation: why[:LONGEST_REASON]}
    request.session[REASONS] = dict(list(kept.items())[-MOST_REASONS:])


def take_from_queue(request: HttpRequest, stream: Any, queue: str) -> None:
    """Store the queue that a stream is in as the reason to read it, if a reason is required and there is none."""
    if settings.REVIEW_REASON and not reason(request, stream):
        give_reason(request, _conversation_of(stream), f"queue: {queue}")


def check(request: HttpRequest, found: Any) -> None:
    """Raise PermissionDenied if the texts of this conversation or stream are not shown."""
    if not shown(request, found):
        raise PermissionDenied


def context_of(request: HttpRequest, found: Any = None) -> dict[str, Any]:
    """Return the context of the switch's template. `found` is the page's conversation or stream, None for lists."""
    permitted, off = _is_permitted(request), _is_off(request)
    asks = found is not None and permitted and not off and not shown(request, found)
    asked = {"reason_wanted_for": _conversation_of(found), "longest_reason": LONGEST_REASON} if asks else {}
    return {"may_show_texts": permitted, "texts_are_off": off, **asked}


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Switch texts on or off for the session, or store a reason, and redirect back to the page of the switch."""
    choice, why = request.POST.get("texts"), request.POST.get("why", "").strip()
    if choice == "hide":
        request.session[SWITCHED_OFF] = True
    elif choice == "reason" and why:
        give_reason(request, request.POST.get("conversation", "")[:36], why)
    elif choice == "show":
        request.session.pop(SWITCHED_OFF, None)
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(back if is_ours else reverse("admin:index"))


def _is_permitted(request: HttpRequest) -> bool:
    return bool(settings.REVIEW_TEXTS) and request.user.has_perm(READ_TEXTS)


def _is_off(request: HttpRequest) -> bool:
    return SWITCHED_OFF in request.session


def _conversation_of(found: Any) -> str:
    return str(getattr(found, "conversation_id", found.pk))
