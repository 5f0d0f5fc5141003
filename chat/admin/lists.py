"""Lists that take the same time whatever is stored: the newest rows first, a page at a time, and nothing is counted.

    the queryset with its filters ── keys of one page, and one more ──> `detailed` rows of these keys alone

A page number is an offset into an index. What a row shows besides its own columns is looked up for the rows of the
page, never for all of them before they are sorted.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest


class NewestFirst(ChangeList):
    """Django's list without its counts: whether more rows follow is told by one row more."""

    newer = older = ""
    """The addresses of the pages beside this one; empty where there is none."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page. Called once, as the list is made."""
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
    """What is listed that way. Only the order of an index is offered: another one would sort all rows."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Ours."""
        return NewestFirst

    def detailed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of a page with all that its columns show."""
        select = self.list_select_related
        return rows.select_related(*select) if isinstance(select, (list, tuple)) and select else rows


class ReadOnlyList(BoundedList):
    """Rows that are written by what happens. Nobody changes them here, superusers neither: they are looked at, with the
    model's view permission."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: what is to go goes by `prune_streams`, by its users, or with its time."""
        return False
