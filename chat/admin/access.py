"""Who reads what people and models wrote.

    WONDERCAM_REVIEW_TEXTS ── the permission `READ_TEXTS`, or one's own chat ── a reviewer's own switch, in the session
    WONDERCAM_REVIEW_REASON ── a reason for each chat: the queue that it waits in, or what the reviewer writes

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
REASONS = "review_reasons"
"""In the session: why the reviewer reads a chat, by its conversation's id."""
MOST_REASONS = 100
LONGEST_REASON = 200


def may_read(request: HttpRequest) -> bool:
    """Whether texts of other people are shown in lists, and found by what they say, in answer to this request."""
    return _is_permitted(request) and not _is_off(request) and not settings.REVIEW_REASON


def shown(request: HttpRequest, found: Any) -> bool:
    """Whether the texts of this conversation or stream are."""
    if _is_off(request):
        return False
    if found.user_id == request.user.pk:
        return bool(settings.REVIEW_TEXTS)
    return _is_permitted(request) and not (settings.REVIEW_REASON and not reason(request, found))


def reason(request: HttpRequest, found: Any) -> str:
    """Why the reviewer reads this conversation or stream; empty where none was given."""
    return str(request.session.get(REASONS, {}).get(_conversation_of(found), ""))


def give_reason(request: HttpRequest, conversation: str, why: str) -> None:
    """Keep why the reviewer reads a conversation, until the sign-in ends; the newest `MOST_REASONS` are kept."""
    kept = {**request.session.get(REASONS, {}), conversation: why[:LONGEST_REASON]}
    request.session[REASONS] = dict(list(kept.items())[-MOST_REASONS:])


def take_from_queue(request: HttpRequest, stream: Any, queue: str) -> None:
    """Count the queue in which a stream waits as the reason to read it, where there is none yet."""
    if settings.REVIEW_REASON and not reason(request, stream):
        give_reason(request, _conversation_of(stream), f"queue: {queue}")


def check(request: HttpRequest, found: Any) -> None:
    """PermissionDenied where the texts of this conversation or stream are not shown."""
    if not shown(request, found):
        raise PermissionDenied


def context_of(request: HttpRequest, found: Any = None) -> dict[str, Any]:
    """What the switch's template needs; `found` is what the page is about, if it is about one thing."""
    permitted, off = _is_permitted(request), _is_off(request)
    asks = found is not None and permitted and not off and not shown(request, found)
    asked = {"reason_wanted_for": _conversation_of(found), "longest_reason": LONGEST_REASON} if asks else {}
    return {"may_show_texts": permitted, "texts_are_off": off, **asked}


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Show texts or hide them, until the sign-in ends, or take a reason to; then back to the page of the switch."""
    wish, why = request.POST.get("texts"), request.POST.get("why", "").strip()
    if wish == "hide":
        request.session[SWITCHED_OFF] = True
    elif wish == "reason" and why:
        give_reason(request, request.POST.get("conversation", "")[:36], why)
    elif wish == "show":
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
