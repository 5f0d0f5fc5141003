"""Filters of the review's lists, bounded however many rows there are: no COUNT, no DISTINCT over joins."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chat.models import Feedback, Stream
from chat.protocol import events, receipt

LATEST = 1_000
"""Streams whose models are offered; another one is found by its name in the search field."""

MATCHES = 10_000
"""Streams by which a list of conversations is narrowed, the newest: whoever looks further back narrows it more."""


class StreamFilter(admin.SimpleListFilter):
    """A field of streams; in a list of conversations, of any of theirs."""

    field = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with the chosen value."""
        if not self.value():
            return queryset
        if queryset.model is Stream:
            return queryset.filter(**{self.field: self.value()})
        newest = Stream.objects.filter(**{self.field: self.value()}).order_by("-created_at")
        return queryset.filter(pk__in=newest.values("conversation")[:MATCHES])


class StatusFilter(StreamFilter):
    """How it ended."""

    title, parameter_name, field = "status", "status__exact", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every status."""
        return [(status, status) for status in events.STATUSES]


class ModelFilter(StreamFilter):
    """Which model answered."""

    title, parameter_name, field = "model", "model", "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The models that were asked lately, and the one chosen."""
        lately = Stream.objects.order_by("-created_at").values_list("model", flat=True)[:LATEST]
        names = {*lately, *([self.value()] if self.value() else [])}
        return [(str(name), str(name)) for name in sorted(names, key=str)]


class ReceiptFilter(StreamFilter):
    """How it reached its reader."""

    title, parameter_name, field = "delivery", "receipt__verdict", "receipt__verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every verdict."""
        return [(verdict, verdict) for verdict in receipt.VERDICTS]


class StatusOfConversation(StatusFilter):
    """How any of its turns ended."""

    parameter_name = "streams__status__exact"


class ModelOfConversation(ModelFilter):
    """Which models answered in it."""

    parameter_name = "streams__model"


class FeedbackOfConversation(admin.SimpleListFilter):
    """What its reader thought of any of its answers."""

    title, parameter_name = "feedback", "feedback"
    wanted: ClassVar[dict[str, dict[str, Any]]] = {
        "up": {"value": Feedback.UP},
        "down": {"value": Feedback.DOWN},
        "reason": {"reason__gt": ""},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every kind."""
        return [("up", "thumbs up"), ("down", "thumbs down"), ("reason", "with a reason")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with one of that kind."""
        if (kind := self.value()) is None:
            return queryset
        found = Feedback.objects.filter(**self.wanted[kind]) if kind in self.wanted else Feedback.objects.none()
        return queryset.filter(pk__in=found.values("message__conversation"))


OF_CONVERSATIONS = (FeedbackOfConversation, StatusOfConversation, ModelOfConversation)
"""What conversations are narrowed by, in the order of the list's side."""
