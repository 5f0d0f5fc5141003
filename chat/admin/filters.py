"""Filters of the review's lists. Their queries are bounded for any number of rows: no COUNT, no DISTINCT over joins."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chat.models import Feedback, Stream
from chat.protocol import events, receipt

LATEST = 1_000
"""The newest streams, whose models are offered; other models can be searched by name."""

MATCHES = 10_000
"""The most streams, the newest, by which conversations are filtered; older ones need further filters."""


class StreamFilter(admin.SimpleListFilter):
    """Filters streams by a field, or conversations by that field of any of their streams."""

    field = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows with the selected value."""
        if not self.value():
            return queryset
        if queryset.model is Stream:
            return queryset.filter(**{self.field: self.value()})
        newest = Stream.objects.filter(**{self.field: self.value()}).order_by("-created_at")
        return queryset.filter(pk__in=newest.values("conversation")[:MATCHES])


class StatusFilter(StreamFilter):
    """Filters by status."""

    title, parameter_name, field = "status", "status__exact", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return all statuses."""
        return [(status, status) for status in events.STATUSES]


class ModelFilter(StreamFilter):
    """Filters by model."""

    title, parameter_name, field = "model", "model", "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the models of the newest streams, and the selected one."""
        lately = Stream.objects.order_by("-created_at").values_list("model", flat=True)[:LATEST]
        names = {*lately, *([self.value()] if self.value() else [])}
        return [(str(name), str(name)) for name in sorted(names, key=str)]


class ReceiptFilter(StreamFilter):
    """Filters by the receipt's verdict on the delivery."""

    title, parameter_name, field = "delivery", "receipt__verdict", "receipt__verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return all verdicts."""
        return [(verdict, verdict) for verdict in receipt.VERDICTS]


class StatusOfConversation(StatusFilter):
    """Filters conversations by the status of any of their turns."""

    parameter_name = "streams__status__exact"


class ModelOfConversation(ModelFilter):
    """Filters conversations by the models of their turns."""

    parameter_name = "streams__model"


class FeedbackOfConversation(admin.SimpleListFilter):
    """Filters conversations by the ratings of their answers."""

    title, parameter_name = "feedback", "feedback"
    wanted: ClassVar[dict[str, dict[str, Any]]] = {
        "up": {"value": Feedback.UP},
        "down": {"value": Feedback.DOWN},
        "reason": {"reason__gt": ""},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds of ratings."""
        return [("up", "thumbs up"), ("down", "thumbs down"), ("reason", "with a reason")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the conversations with a rating of the selected kind."""
        if (kind := self.value()) is None:
            return queryset
        found = Feedback.objects.filter(**self.wanted[kind]) if kind in self.wanted else Feedback.objects.none()
        return queryset.filter(pk__in=found.values("message__conversation"))


OF_CONVERSATIONS = (FeedbackOfConversation, StatusOfConversation, ModelOfConversation)
"""The filters of conversations, in the order of the sidebar."""
