"""The chat page: `/` and `/c/<id>`, the frame here; `static/chat/page.js` shows the messages in it."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from chat.models import Change, Conversation
from chat.process import this_process
from chat.protocol.prompt import WAV, Model
from chat.providers.catalogue import Catalogue
from chat.views.conversations import LONGEST_SYSTEM, listed
from chat.views.messages import messages_of
from chat.views.models import photos
from chat.views.newest import newest
from chat.views.welcome import welcome
from chat.views.words import words

NEWEST = 50
"""How many conversations come with the page; its list asks for the others as one scrolls."""


@never_cache
@require_safe
@ensure_csrf_cookie
async def page(request: HttpRequest, conversation_id: UUID | None = None) -> HttpResponse:
    """A new chat, or one's own conversation with its transcript; 404 for a foreign or unknown one."""
    user: Any = await request.auser()
    if not user.is_authenticated and not settings.GUESTS:
        return redirect_to_login(request.get_full_path(), "accounts:signin")
    # Queries and a long transcript's rendering: off the loop that serves the streams, in one hop.
    return await sync_to_async(_render)(request, user, conversation_id)


@gzip_page  # which adds random bytes, so that lengths do not tell secrets (BREACH)
def _render(request: HttpRequest, user: Any, conversation_id: UUID | None) -> HttpResponse:
    own = Conversation.objects.for_user(user.pk)
    conversation = own.filter(pk=conversation_id).first() if conversation_id else None
    if conversation_id and conversation is None:
        raise Http404
    messages = messages_of(conversation) if conversation else []
    models = choices(this_process().catalogue)
    context = {
        "user": user,
        "chats": listed(own, NEWEST),
        "conversation": conversation,
        "messages": messages,
        "newest": newest(messages),
        "has_media": any("attachment" in part for message in messages for part in message["parts"]),
        "queued": conversation.queued.count() if conversation else 0,
        "longest_system": LONGEST_SYSTEM,
        "models": models,
        **welcome(models),
        "words": words(get_language() or ""),
        "feed": newest_line(user.pk) if user.pk else "",
        "push_key": this_process().notices.public_key,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "signup_is_open": settings.SIGNUP == "open",
    }
    return render(request, "chat/page.html", context)


def newest_line(user_id: int) -> int:
    """The place in the user's feed from which on the page hears of what it does not show."""
    newest = Change.objects.filter(user=user_id).order_by("-id").values_list("id", flat=True).first()
    return newest or 0


def choices(catalogue: Catalogue) -> list[dict[str, str]]:
    """The models as the composer offers them."""
    models = catalogue.models()
    return [
        {
            "id": model.id,
            "title": model.title or model.id,
            "photos": photos(catalogue, model),
            "sounds": "yes" if WAV in model.sounds else "no",  # what the page records as
            "signs": ", ".join(str(sign) for sign, has in signs(model) if has),
        }
        for model in models
    ]


def signs(model: Model) -> tuple[tuple[Any, bool], ...]:
    """What the composer says of a model beside its name, and whether it is so."""
    return (_("sees"), model.images), (_("hears"), bool(model.sounds)), (_("thinks"), model.thinks)
