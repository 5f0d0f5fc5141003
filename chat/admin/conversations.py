"""Conversations, and their transcripts."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from chat import review
from chat.accounts import audit
from chat.admin.display import facts, status_badge
from chat.admin.filters import OF_CONVERSATIONS
from chat.admin.readonly import ReviewAdmin, UserFilter, uuid_in
from chat.models import Attachment, Conversation, Message, Stream


@admin.register(Conversation)
class ConversationAdmin(ReviewAdmin):
    """Conversations and their transcripts."""

    page_template = "admin/chat/conversation/transcript.html"
    list_display = ("name", "user", "messages_count", "latest_model", "latest_status", "updated_at")
    list_filter = (UserFilter, *OF_CONVERSATIONS, "user__is_guest", "updated_at")
    list_select_related = ("user",)
    search_fields = ("title", "user__username")
    search_help_text = "Title, user, what was said, or the id of a conversation or stream"
    ordering = ("-updated_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of messages and the latest turn, so that a list is one query."""
        messages = Message.objects.filter(conversation=OuterRef("pk")).order_by()
        latest = Stream.objects.filter(conversation=OuterRef("pk")).order_by("-created_at")
        listed: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                held=Subquery(messages.values("conversation").annotate(held=Count("pk")).values("held")),
                provider_of_latest=Subquery(latest.values("provider")[:1]),
                model_of_latest=Subquery(latest.values("model")[:1]),
                status_of_latest=Subquery(latest.values("status")[:1]),
            )
        )
        return listed

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Also by what was said."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if not search_term.strip() or uuid_in(search_term):
            return found, duplicates
        said = Message.objects.annotate(said=Cast("parts", TextField())).filter(conversation=OuterRef("pk"))
        term = search_term.strip()
        # A database may keep what is not ASCII as JSON's escapes.
        matches = said.filter(Q(said__icontains=term) | Q(said__icontains=json.dumps(term)[1:-1]))
        return queryset.filter(Q(pk__in=found.order_by().values("pk")) | Exists(matches)), duplicates

    def by_id(self, pk: UUID) -> Q:
        """A stream's id finds its conversation too."""
        return Q(pk=pk) | Q(pk__in=Stream.objects.filter(pk=pk).values("conversation"))

    @admin.display(description="conversation", ordering="title")
    def name(self, conversation: Conversation) -> str:
        """Its title; an untitled one is still something to click on."""
        return conversation.title or "(untitled)"

    @admin.display(description="messages", ordering="held")
    def messages_count(self, conversation: Any) -> int:
        """All of them, every version."""
        return conversation.held or 0

    @admin.display(description="latest model")
    def latest_model(self, conversation: Any) -> str:
        """Which model answered last."""
        latest = (conversation.provider_of_latest, conversation.model_of_latest)
        return "/".join(latest) if all(latest) else "–"

    @admin.display(description="latest turn", ordering="status_of_latest")
    def latest_status(self, conversation: Any) -> str:
        """How the latest turn ended."""
        return status_badge(conversation.status_of_latest) if conversation.status_of_latest else "–"

    def page(self, found: Any, number: int) -> dict[str, Any]:
        """A page of the transcript."""
        read = review.transcript(found, number)
        return {
            "title": found.title or "Untitled conversation",
            "transcript": read,
            "rows": [(turn, facts(turn.timing)) for turn in read.turns],
        }

    def get_urls(self) -> list[URLPattern]:
        """And the photos."""
        photo = path(
            "<uuid:pk>/photo/<uuid:photo_id>/", self.admin_site.admin_view(self.photo), name="chat_conversation_photo"
        )
        return [photo, *super().get_urls()]

    def photo(self, request: HttpRequest, pk: UUID, photo_id: UUID) -> HttpResponse:
        """One of the conversation's owner's photos, to staff who may see conversations."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        owned = Conversation.objects.filter(pk=pk).select_related("user").first()
        photo = None if owned is None else Attachment.objects.filter(pk=photo_id, user=owned.user).first()
        if owned is None or photo is None or not photo.mime_type.startswith("image/") or "svg" in photo.mime_type:
            raise Http404("There is no such photo.")
        audit.record_reading(request, owned)
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return HttpResponse(bytes(photo.data), content_type=photo.mime_type, headers=headers)
