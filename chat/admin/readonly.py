"""What the review's lists and pages have in common: they are read."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from chat.accounts import audit
from chat.admin.filters import LATEST
from chat.admin.lists import BoundedList
from chat.models import Stream, User

SHOWN_USERS = 15


class UserFilter(admin.SimpleListFilter):
    """By user: those who asked last, and the one chosen. Others are found by the search field."""

    title = "user"
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """A bounded list, however many users there are."""
        lately = Stream.objects.order_by("-created_at").values_list("user", flat=True)[:LATEST]
        asked = list(dict.fromkeys(lately))[:SHOWN_USERS]
        found = User.objects.in_bulk(asked)
        users = [found[pk] for pk in asked if pk in found]
        chosen = self.value()
        if chosen and chosen.isdigit() and chosen not in {str(user.pk) for user in users}:
            users += User.objects.filter(pk=chosen)
        return [(str(user.pk), user.username) for user in users]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """That user's own; no user's where the value is no id."""
        return queryset.filter(user_id=int(self.value() or 0)) if self.value() else queryset


class ReviewAdmin(BoundedList):
    """A list and a page to read. Looking needs the model's view permission; nothing else can be done."""

    page_template = ""
    actions = None

    class Media:
        css = {"all": ["chat/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: the log is written by turns."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: `prune_streams` and the users themselves delete."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Also what a filter of ours is called by."""
        ours = {getattr(item, "parameter_name", None) for item in self.list_filter}
        return lookup in ours or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One page about one row, in place of Django's form."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        audit.record_reading(request, found)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": found,
            "media": self.media,
            **self.page(found, page_number(request)),
        }
        return TemplateResponse(request, self.page_template, context)

    def page(self, found: Any, number: int) -> dict[str, Any]:
        """What the page's template needs."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """An id finds its row; anything else is looked for in the text."""
        term = search_term.strip()
        if not term:
            return queryset, False
        pk = uuid_in(term)
        return queryset.filter(self.found(term) if pk is None else self.by_id(pk)), False

    def found(self, term: str) -> Q:
        """The rows that words in the search field mean."""
        raise NotImplementedError

    def by_id(self, pk: UUID) -> Q:
        """The rows that an id in the search field means."""
        return Q(pk=pk)


def page_number(request: HttpRequest) -> int:
    """`?page=`, from 1; 1 where it is no number."""
    text = request.GET.get("page", "1")
    return int(text[:6]) if text.isascii() and text.isdigit() and int(text) else 1


def uuid_in(text: str) -> UUID | None:
    """The id in a search field, or None where it is other text."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
