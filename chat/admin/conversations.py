"""The admin of conversations, with transcripts."""

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
from chat.admin.filters import OF_CONVERSATIONS
from chat.admin.readonly import ReviewAdmin, UserFilter
from chat.admin.search import by_words, conversations_with
from chat.models import Attachment, Conversation, Stream

SHOWN = re.compile(r"image/(?!svg)[\w.+-]+|audio/[\w.+-]+")
"""The MIME types that are sent to a browser: none that can contain scripts."""


@admin.register(Conversation)
class ConversationAdmin(ReviewAdmin):
    """The list of conversations, and the page of a transcript."""

    page_template = "admin/chat/conversation/transcript.html"
    list_display = ("name", "user", "messages_count", "latest_model", "latest_status", "updated_at")
    columns_without_texts = ("short_id", *list_display[1:])
    list_filter = (UserFilter, *OF_CONVERSATIONS, "user__is_guest", "updated_at")
    list_select_related = ("user",)
    search_fields = ("title", "user__username")
    search_help_text = "Title, user, what was said lately, or the id of a conversation or stream"
    help_without_texts = "User, or the id of a conversation or stream"
    ordering = ("-pk",)  # by creation time, which ids contain: no further index to update with every question

    def detailed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Add the latest turn's fields. The position of its answer gives the number of messages."""
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
        """Match the user's name; with `texts` also the title and messages."""
        if not texts:
            return by_words(term)
        # Read now: as a subquery, the count and the list of the page would each look through all texts.
        return by_words(term, "title") | Q(pk__in=conversations_with(term))

    def by_id(self, pk: UUID) -> Q:
        """Match the id of the conversation, or of one of its streams."""
        return Q(pk=pk) | Q(pk__in=Stream.objects.filter(pk=pk).values("conversation"))

    @admin.display(description="conversation")
    def name(self, conversation: Conversation) -> str:
        """The title; a placeholder for the link if there is none."""
        return conversation.title or "(untitled)"

    @admin.display(description="conversation")
    def short_id(self, conversation: Conversation) -> str:
        """The short id, instead of the title."""
        return hidden.short_id(conversation.pk)

    @admin.display(description="messages")
    def messages_count(self, conversation: Any) -> str:
        """The number of messages, with all versions; unknown if the recordings are pruned."""
        return "–" if conversation.last_position is None else str(conversation.last_position + 1)

    @admin.display(description="latest model")
    def latest_model(self, conversation: Any) -> str:
        """The model of the latest answer."""
        latest = (conversation.provider_of_latest, conversation.model_of_latest)
        return "/".join(latest) if all(latest) else "–"

    @admin.display(description="latest turn")
    def latest_status(self, conversation: Any) -> str:
        """The status of the latest turn."""
        return status_badge(conversation.status_of_latest) if conversation.status_of_latest else "–"

    def page(self, found: Any, number: int, *, texts: bool) -> dict[str, Any]:
        """Return the context of one page of the transcript."""
        read = review.transcript(found, number)
        return {
            "title": hidden.title_of(found, texts=texts),
            "transcript": read,
            "rows": [message_row(turn, texts=texts) for turn in read.turns],
        }

    def get_urls(self) -> list[URLPattern]:
        """Add the photos and sounds, and the switch of texts."""
        photo = path(
            "<uuid:pk>/photo/<uuid:photo_id>/", self.admin_site.admin_view(self.photo), name="chat_conversation_photo"
        )
        switch = path("texts/", self.admin_site.admin_view(access.switch), name="chat_conversation_texts")
        return [photo, switch, *super().get_urls()]

    def photo(self, request: HttpRequest, pk: UUID, photo_id: UUID) -> HttpResponse:
        """Return a photo or sound of the conversation's owner, to staff who may see conversations and read texts."""
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
