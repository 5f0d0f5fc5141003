"""Lists whose time does not depend on the number of rows: the newest rows first, in pages, without counting.

    the queryset with its filters ── keys of one page, plus one ──> the `detailed` rows of these keys

A page number is an offset into an index. Joined and annotated columns are only queried for the rows of the page.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest


class NewestFirst(ChangeList):
    """Django's ChangeList without counts: it reads one more row to know whether there is a next page."""

    newer = older = ""
    """The queries of the previous and the next page; "" if there is none."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the rows of the page. Django calls it when the list is created."""
        first = (self.page_num - 1) * self.list_per_page
        keys = list(self.queryset.values_list("pk", flat=True)[first : first + self.list_per_page + 1])
        shown = keys[: self.list_per_page]
        rows = self.model_admin.detailed(self.root_queryset).in_bulk(shown)  # type: ignore[attr-defined]
        self.result_list = [rows[key] for key in shown if key in rows]
        self.result_count = first + len(shown)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        if self.page_num > 1:
            self.newer = self.get_query_string({PAGE_VAR: self.page_num - 1})
        if len(keys) > self.list_per_page:
            self.older = self.get_query_string({PAGE_VAR: self.page_num + 1})


class BoundedList(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """A ModelAdmin with such a list. It cannot be sorted by other columns, since that would read all rows."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return `NewestFirst`."""
        return NewestFirst

    def detailed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Add to a page's rows the related rows and annotations that the columns need."""
        select = self.list_select_related
        return rows.select_related(*select) if isinstance(select, (list, tuple)) and select else rows


class ReadOnlyList(BoundedList):
    """A list of rows that nobody can change here, not even superusers; the model's view permission is needed to
    read."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: rows are deleted by `prune_streams`, by their users, or by retention."""
        return False
