"""Conversations, and their transcripts."""

import re
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from chat import review
from chat.accounts import audit
from chat.admin import access, hidden
from chat.admin.display import message_row, status_badge
from chat.admin.filters import MATCHES, OF_CONVERSATIONS
from chat.admin.readonly import ReviewAdmin, UserFilter
from chat.admin.search import by_words, said
from chat.models import Attachment, Conversation, Stream

SHOWN = re.compile(r"image/(?!svg)[\w.+-]+|audio/[\w.+-]+")
"""What a browser is shown of what is kept: nothing that could be a program."""


@admin.register(Conversation)
class ConversationAdmin(ReviewAdmin):
    """Conversations and their transcripts."""

    page_template = "admin/chat/conversation/transcript.html"
    list_display = ("name", "user", "messages_count", "latest_model", "latest_status", "updated_at")
    columns_without_texts = ("short_id", *list_display[1:])
    list_filter = (UserFilter, *OF_CONVERSATIONS, "user__is_guest", "updated_at")
    list_select_related = ("user",)
    search_fields = ("title", "user__username")
    search_help_text = "Title, user, what was said lately, or the id of a conversation or stream"
    help_without_texts = "User, or the id of a conversation or stream"
    ordering = ("-pk",)  # by their beginning, which an id tells: no index more for every question

    def detailed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """With the latest turn. Its answer's position tells how many messages there are."""
        latest = Stream.objects.filter(conversation=OuterRef("pk")).order_by("-created_at")
        found: QuerySet[Any] = (
            super()
            .detailed(rows)
            .annotate(
                last_position=Subquery(latest.values("answer__position")[:1]),
                provider_of_latest=Subquery(latest.values("provider")[:1]),
                model_of_latest=Subquery(latest.values("model")[:1]),
                status_of_latest=Subquery(latest.values("status")[:1]),
            )
        )
        return found

    def found(self, term: str, *, texts: bool) -> Q:
        """By user, and by title and what was said."""
        if not texts:
            return by_words(term)
        return by_words(term, "title") | Q(pk__in=said(term).values("conversation")[:MATCHES])

    def by_id(self, pk: UUID) -> Q:
        """A stream's id finds its conversation too."""
        return Q(pk=pk) | Q(pk__in=Stream.objects.filter(pk=pk).values("conversation"))

    @admin.display(description="conversation")
    def name(self, conversation: Conversation) -> str:
        """Its title; an untitled one is still something to click on."""
        return conversation.title or "(untitled)"

    @admin.display(description="conversation")
    def short_id(self, conversation: Conversation) -> str:
        """In place of the title."""
        return hidden.short_id(conversation.pk)

    @admin.display(description="messages")
    def messages_count(self, conversation: Any) -> str:
        """All of them, every version; unknown where the recordings are pruned."""
        return "–" if conversation.last_position is None else str(conversation.last_position + 1)

    @admin.display(description="latest model")
    def latest_model(self, conversation: Any) -> str:
        """Which model answered last."""
        latest = (conversation.provider_of_latest, conversation.model_of_latest)
        return "/".join(latest) if all(latest) else "–"

    @admin.display(description="latest turn")
    def latest_status(self, conversation: Any) -> str:
        """How the latest turn ended."""
        return status_badge(conversation.status_of_latest) if conversation.status_of_latest else "–"

    def page(self, found: Any, number: int, *, texts: bool) -> dict[str, Any]:
        """A page of the transcript."""
        read = review.transcript(found, number)
        return {
            "title": hidden.title_of(found, texts=texts),
            "transcript": read,
            "rows": [message_row(turn, texts=texts) for turn in read.turns],
        }

    def get_urls(self) -> list[URLPattern]:
        """And the photos and sounds, and the switch of texts."""
        photo = path(
            "<uuid:pk>/photo/<uuid:photo_id>/", self.admin_site.admin_view(self.photo), name="chat_conversation_photo"
        )
        switch = path("texts/", self.admin_site.admin_view(access.switch), name="chat_conversation_texts")
        return [photo, switch, *super().get_urls()]

    def photo(self, request: HttpRequest, pk: UUID, photo_id: UUID) -> HttpResponse:
        """One of the conversation's owner's photos or sounds, to staff who may see conversations and read texts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        owned = Conversation.objects.filter(pk=pk).select_related("user").first()
        photo = None if owned is None else Attachment.objects.filter(pk=photo_id, user=owned.user).first()
        if owned is None or photo is None or not SHOWN.fullmatch(photo.mime_type):
            raise Http404("There is no such photo.")
        access.check(request, owned)
        audit.record_reading(request, owned, why=access.reason(request, owned))
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return HttpResponse(bytes(photo.data), content_type=photo.mime_type, headers=headers)
