"""The admin of streams, with their times and events."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from chat import review
from chat.accounts import audit
from chat.admin import access, comparison, hidden, operations, replay
from chat.admin.display import bars, error_words, event_row, facts, status_badge
from chat.admin.filters import ModelFilter, ReceiptFilter, StatusFilter
from chat.admin.readonly import ReviewAdmin, UserFilter, uuid_in
from chat.admin.search import by_words
from chat.admin.timeline import timeline
from chat.models import Stream
from chat.process import this_process
from chat.protocol import timing

SHOWN_REQUEST = 20_000
"""The most characters of a request; `export_stream` gives all of it."""
SHOWN_STALLS = 20
UNLINKED = {"conversation_link": "conversation_title", "conversation_short_id": "conversation_id_end"}
"""The columns in place of those with a link."""


@admin.register(Stream)
class StreamAdmin(ReviewAdmin):
    """The list of streams, the page of one, the page of two, and the operators' page."""

    page_template = "admin/chat/stream/events.html"
    list_display = (
        "short_id", "badge", "user", "conversation_link", "model_id", "delivery", "ok", "first_token", "rate",
        "duration", "last_seq", "rerun_of", "created_at",
    )  # fmt: skip
    columns_without_texts = tuple(
        name if name != "conversation_link" else "conversation_short_id" for name in list_display
    )
    list_filter = (StatusFilter, ReceiptFilter, UserFilter, ModelFilter, "user__is_guest", "created_at")
    list_select_related = ("user", "conversation", "receipt", "rerun")
    search_fields = ("user__username", "provider", "model", "conversation__title")
    search_help_text = "User, model, title, or the id of a stream or conversation"
    help_without_texts = "User, model, or the id of a stream or conversation"
    ordering = ("-created_at",)

    def detailed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Add the times of each stream's first and last event."""
        return review.with_ends(super().detailed(rows))

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; their links to conversations are for those who may open one."""
        columns = super().get_list_display(request)
        if request.user.has_perm("chat.view_conversation"):
            return columns
        return tuple(UNLINKED.get(name, name) for name in columns)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the stream with the related rows that its page shows; None if there is none."""
        found = uuid_in(object_id)
        rows = self.get_queryset(request).select_related("user", "conversation", "receipt", "write_times", "answer")
        return None if found is None else rows.filter(pk=found).first()

    def found(self, term: str, *, texts: bool) -> Q:
        """Match the user's name, provider and model; with `texts` also the conversation's title."""
        return by_words(term, "provider", "model", conversation="title" if texts else "")

    def get_urls(self) -> list[URLPattern]:
        """Add the recording, two streams side by side, and the operators' page."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:pk>/recording/", view(self.recording), name="chat_stream_recording"),
            path("<uuid:pk>/beside/", view(self.choose), name="chat_stream_choose"),
            path("<uuid:pk>/beside/<uuid:other>/", view(self.beside), name="chat_stream_beside"),
            path("now/", view(self.now), name="chat_stream_now"),
            *super().get_urls(),
        ]

    def now(self, request: HttpRequest) -> HttpResponse:
        """Show the operators' page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = operations.page(this_process().metrics.standing())
        context = {"title": "Operations", "opts": self.opts, **found, "bars": bars(found["hours"])}
        common = {**self.admin_site.each_context(request), **access.context_of(request)}
        return TemplateResponse(request, "admin/chat/stream/now.html", {**common, **context})

    def choose(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Redirect to the page of this stream and the one in the form."""
        other = uuid_in(request.GET.get("other", ""))
        if other is None:
            messages.error(request, "This is not a stream's id: copy the whole id from the title of its page.")
            return HttpResponseRedirect(reverse("admin:chat_stream_change", args=[pk]))
        return HttpResponseRedirect(reverse("admin:chat_stream_beside", args=[pk, other]))

    def beside(self, request: HttpRequest, pk: UUID, other: UUID) -> HttpResponse:
        """Show two streams side by side."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        streams = [self.get_object(request, str(each)) for each in (pk, other)]
        if None in streams:
            raise Http404("There is no such stream.")
        texts = [access.shown(request, stream) for stream in streams]
        for stream, shown in zip(streams, texts, strict=True):
            audit.record_reading(request, stream, texts=shown, why=access.reason(request, stream))
        context = {"title": "Two streams side by side", "opts": self.opts, **comparison.page(streams, texts)}
        common = {**self.admin_site.each_context(request), **access.context_of(request)}
        return TemplateResponse(request, "admin/chat/stream/beside.html", {**common, **context})

    def recording(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Return a stream's events with their times as JSON, for the replay. Requires access to its texts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        stream = self.get_object(request, str(pk))
        if stream is None:
            raise Http404("There is no such stream.")
        access.check(request, stream)
        audit.record_reading(request, stream, why=access.reason(request, stream))
        return JsonResponse(replay.recording_of(stream))

    def by_id(self, pk: UUID) -> Q:
        """Match the id of the stream, or of its conversation."""
        return Q(pk=pk) | Q(conversation=pk)

    @admin.display(description="stream")
    def short_id(self, stream: Stream) -> str:
        """The end of the id."""
        return hidden.short_id(stream.pk)

    @admin.display(description="conversation")
    def conversation_link(self, stream: Stream) -> str:
        """A link to the conversation, with its title."""
        url = reverse("admin:chat_conversation_change", args=[stream.conversation_id])
        return format_html('<a href="{}">{}</a>', url, self.conversation_title(stream))

    @admin.display(description="conversation")
    def conversation_short_id(self, stream: Stream) -> str:
        """A link to the conversation, with its short id."""
        url = reverse("admin:chat_conversation_change", args=[stream.conversation_id])
        return format_html('<a href="{}">{}</a>', url, self.conversation_id_end(stream))

    @admin.display(description="conversation")
    def conversation_title(self, stream: Stream) -> str:
        """The conversation's title."""
        return format_html("<bdi>{}</bdi>", (stream.conversation.title or "(untitled)")[:40])

    @admin.display(description="conversation")
    def conversation_id_end(self, stream: Stream) -> str:
        """The end of the conversation's id."""
        return hidden.short_id(stream.conversation_id)

    @admin.display(description="model")
    def model_id(self, stream: Stream) -> str:
        """`provider/model`."""
        return stream.model_id

    @admin.display(description="status")
    def badge(self, stream: Stream) -> str:
        """The status."""
        return status_badge(stream.status)

    @admin.display(description="delivery")
    def delivery(self, stream: Stream) -> str:
        """The receipt's verdict on the delivery, if the page has sent a receipt."""
        kept = getattr(stream, "receipt", None)
        return kept.verdict if kept else "–"

    @admin.display(description="OK")
    def ok(self, stream: Stream) -> str:
        """The time to event 0."""
        return timing.words(review.ends(stream).ok_us)

    @admin.display(description="first token")
    def first_token(self, stream: Stream) -> str:
        """The time to the answer's first text."""
        return timing.words(stream.first_token_us)

    @admin.display(description="tokens/s")
    def rate(self, stream: Stream) -> str:
        """The tokens per second after the first token."""
        rate = review.ends(stream).tokens_per_s
        return "–" if rate is None else f"{rate:.1f}"

    @admin.display(description="duration")
    def duration(self, stream: Stream) -> str:
        """The time of the last event."""
        return timing.words(review.ends(stream).duration_us)

    @admin.display(description="asked again")
    def rerun_of(self, stream: Stream) -> str:
        """A link to the comparison with the original, if the stream is a rerun."""
        linked = getattr(stream, "rerun", None)
        if linked is None:
            return "–"
        url = reverse("admin:chat_stream_beside", args=[linked.original_id, stream.pk])
        return format_html('<a href="{}">{}</a>', url, hidden.short_id(linked.original_id))

    def page(self, found: Any, number: int, *, texts: bool) -> dict[str, Any]:
        """Return the context: the turn's times, the chart of its flow, and one page of its events."""
        count = max(review.events_count(found), 1)
        log, more = review.event_page(found, number)
        measured, moments = review.measured(found)
        request = json.dumps(found.request, indent=2, ensure_ascii=False)
        return {
            "title": f"Stream {found.pk}",
            "facts": facts(measured),
            "stalls": [(gap.after_seq, timing.words(gap.us)) for gap in measured.stalls[:SHOWN_STALLS]],
            "more_stalls": max(0, len(measured.stalls) - SHOWN_STALLS),
            "bars": bars(review.histogram(moments)),
            **timeline(found, moments),
            "duration": timing.words(measured.duration_us),
            "error": error_words(found.error, texts=texts),
            "request_sent": request[:SHOWN_REQUEST] if texts else f"({hidden.length(request)}, hidden)",
            "request_is_cut": texts and len(request) > SHOWN_REQUEST,
            "rows": [event_row(event, gap, texts=texts) for event, gap in log],
            "other_answers": comparison.other_answers(found),
            "reruns": comparison.reruns(found),
            "may_compare": texts,
            "number": number,
            "more": more,
            "events_count": count,
            "last_page": (count - 1) // review.EVENTS_PER_PAGE + 1,
        }
