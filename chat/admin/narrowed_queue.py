"""A queue of the review as it is narrowed: by why one would look at an answer, and as the list of streams is."""

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
    """One kind of answers, and filters with what was chosen of each."""

    kind: str
    filters: tuple[StreamFilter | UserFilter, ...]

    @classmethod
    def of(cls, request: HttpRequest, model_admin: Any) -> Self:
        """As the address says: `?kind=`, the first kind where it is none, and the filters' own parameters."""
        kind = request.GET.get("kind", "")
        made = (each(request, dict(request.GET.lists()), Stream, model_admin) for each in FILTERS)
        return cls(kind if kind in queue.KINDS else next(iter(queue.KINDS)), tuple(made))

    def waiting(self, request: HttpRequest, reviewer: User) -> queue.Streams:
        """The answers that wait for the reviewer, the newest first."""
        found = queue.waiting(self.kind, reviewer)
        for each in self.filters:
            found = each.queryset(request, found)
        return found

    @property
    def query(self) -> str:
        """What stands behind the address's `?`."""
        return self.query_of(self.kind)

    def query_of(self, kind: str) -> str:
        """The same for another kind."""
        chosen = [(str(each.parameter_name), value) for each in self.filters if (value := each.value())]
        return urlencode([("kind", kind), *chosen])

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Every kind with its query."""
        return [(kind, self.query_of(kind)) for kind in queue.KINDS]
