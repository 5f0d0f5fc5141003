"""`NarrowedQueue`: a queue of the review with the filters of the list of streams."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from django.http import HttpRequest

from chat.admin.filters import ModelFilter, ReceiptFilter, StatusFilter, StreamFilter
from chat.admin.readonly import UserFilter
from chat.models import Stream, User
from chat.verdicts import queue

FILTERS: tuple[type[StreamFilter | UserFilter], ...] = (StatusFilter, ReceiptFilter, UserFilter, ModelFilter)


@dataclass(frozen=True, slots=True)
class NarrowedQueue:
    """A kind of queue, and the filters with their selected values."""

    kind: str
    filters: tuple[StreamFilter | UserFilter, ...]

    @classmethod
    def of(cls, request: HttpRequest, model_admin: Any) -> Self:
        """Parse the query: `kind` (the first one by default), and the parameters of the filters."""
        kind = request.GET.get("kind", "")
        made = (each(request, dict(request.GET.lists()), Stream, model_admin) for each in FILTERS)
        return cls(kind if kind in queue.KINDS else next(iter(queue.KINDS)), tuple(made))

    def waiting(self, request: HttpRequest, reviewer: User) -> queue.Streams:
        """Return the answers that wait for the reviewer, the newest first."""
        found = queue.waiting(self.kind, reviewer)
        for each in self.filters:
            found = each.queryset(request, found)
        return found

    @property
    def query(self) -> str:
        """The queue as a URL's query."""
        return self.query_of(self.kind)

    def query_of(self, kind: str) -> str:
        """Return the query for another kind with the same filters."""
        chosen = [(str(each.parameter_name), value) for each in self.filters if (value := each.value())]
        return urlencode([("kind", kind), *chosen])

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """All kinds with their queries."""
        return [(kind, self.query_of(kind)) for kind in queue.KINDS]
