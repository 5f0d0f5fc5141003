"""`ReviewAdmin`: the base class of the review's read-only lists and pages."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from chat.accounts import audit
from chat.admin import access, hidden, saved_filters
from chat.admin.filters import LATEST
from chat.admin.lists import ReadOnlyList
from chat.models import Stream, User

SHOWN_USERS = 15


class UserFilter(admin.SimpleListFilter):
    """Filters by user: it offers the most recent ones and the selected one. Others can be searched."""

    title = "user"
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return at most `SHOWN_USERS` recent users, and the selected one."""
        lately = Stream.objects.order_by("-created_at").values_list("user", flat=True)[:LATEST]
        asked = list(dict.fromkeys(lately))[:SHOWN_USERS]
        found = User.objects.in_bulk(asked)
        users = [found[pk] for pk in asked if pk in found]
        chosen = self._chosen()
        if chosen and chosen not in {user.pk for user in users}:
            users += User.objects.filter(pk=chosen)
        return [(str(user.pk), user.username) for user in users]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the selected user; none if the value is not an id."""
        return queryset.filter(user_id=self._chosen()) if self.value() else queryset

    def _chosen(self) -> int:
        """Return the selected id; 0, which no user has, if the value is not an id."""
        text = self.value() or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


class ReviewAdmin(ReadOnlyList):
    """A read-only list, and a page about each row. Titles and messages are hidden according to `access.py`."""

    change_list_template = "admin/chat/review_list.html"
    page_template = ""
    columns_without_texts: tuple[str, ...] = ()
    help_without_texts = ""

    class Media:
        css = {"all": ["chat/admin.css"]}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the parameters of this list's filters; others only if texts may be read, since they may reveal them."""
        ours = {str(getattr(item, "parameter_name", item)) for item in self.list_filter}
        if lookup in ours:
            return True
        if request is not None and not access.may_read(request):  # another column may hold texts
            return lookup.split("__")[0] in ours and super().lookup_allowed(lookup, value, request)
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns, without titles if texts are hidden."""
        return super().get_list_display(request) if access.may_read(request) else self.columns_without_texts

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add the switch of texts and the reviewer's saved filters."""
        ours = {**access.context_of(request), **saved_filters.context_of(request, str(self.opts.model_name))}
        return super().changelist_view(request, {**ours, **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Set the help text of the search field, which depends on whether texts are hidden."""
        found = super().get_changelist_instance(request)
        if not access.may_read(request):
            found.search_help_text = self.help_without_texts
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page about one row, instead of Django's form."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        is_read = access.shown(request, found)
        audit.record_reading(request, found, texts=is_read, why=access.reason(request, found))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": found,
            "media": self.media,
            **access.context_of(request, found),
            "texts": is_read,
            "conversation_title": hidden.title_of(getattr(found, "conversation", found), texts=is_read),
            **self.page(found, page_number(request), texts=is_read),
        }
        return TemplateResponse(request, self.page_template, context)

    def page(self, found: Any, number: int, *, texts: bool) -> dict[str, Any]:
        """Return the template's context; without `texts` it must not contain texts."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by id if the term is one, else by words."""
        term = search_term.strip()
        if not term:
            return queryset, False
        pk = uuid_in(term)
        return queryset.filter(self.by_id(pk) if pk else self.found(term, texts=access.may_read(request))), False

    def found(self, term: str, *, texts: bool) -> Q:
        """Return the condition for words in the search field; without `texts` it must not search texts."""
        raise NotImplementedError

    def by_id(self, pk: UUID) -> Q:
        """Return the condition for an id in the search field."""
        return Q(pk=pk)


def page_number(request: HttpRequest) -> int:
    """Return the parameter `page`, from 1; 1 if it is invalid."""
    text = request.GET.get("page", "1")
    return int(text[:6]) if text.isascii() and text.isdigit() and int(text) else 1


def uuid_in(text: str) -> UUID | None:
    """Parse an id; None for other texts."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
