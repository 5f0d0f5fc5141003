"""Saved filters: a reviewer's named queries of the review's lists."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from chat.models import SavedFilter
from chat.models.saved_filters import MOST, TooManyFilters

LISTS = ("conversation", "stream", "verdict")
NO_FILTERS = (PAGE_VAR, ERROR_FLAG, IS_POPUP_VAR, TO_FIELD_VAR)


class SaveForm(forms.Form):
    """A name for the list's current query."""

    shown_on = forms.ChoiceField(choices=[(name, name) for name in LISTS])
    name = forms.CharField(max_length=60)
    query = forms.CharField(max_length=SavedFilter.LONGEST_QUERY)

    def clean_query(self) -> str:
        """Return only the parameters of filters and search. Raises ValidationError if there are none."""
        if found := narrowed(QueryDict(self.cleaned_data["query"])):
            return found
        raise forms.ValidationError("Narrow the list first: there is no filter to save.")


def narrowed(parameters: QueryDict) -> str:
    """Return a list's filters and search as a URL's query; "" if there are none."""
    kept = parameters.copy()
    for name in list(kept):
        if name in NO_FILTERS or not any(kept.getlist(name)):
            del kept[name]
    return kept.urlencode()


def context_of(request: HttpRequest, shown_on: str) -> dict[str, Any]:
    """Return the context of the template of a list's saved filters."""
    saved = SavedFilter.objects.filter(reviewer=request.user.pk, shown_on=shown_on)
    return {"saved_filters": saved, "filters_of": shown_on, "narrowed": narrowed(request.GET)}


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """Return the URLs that save and delete filters."""
    return [
        path("filters/", site.admin_view(save), name="chat_filters"),
        path("filters/<int:pk>/delete/", site.admin_view(delete), name="chat_filter_delete"),
    ]


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Save the query under a name, and redirect to the list."""
    form = SaveForm(request.POST)
    shown_on = request.POST.get("shown_on", "")
    if shown_on not in LISTS or not request.user.has_perm(f"chat.view_{shown_on}"):
        raise PermissionDenied
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return _back(shown_on, narrowed(QueryDict(request.POST.get("query", "")[: SavedFilter.LONGEST_QUERY])))
    query = form.cleaned_data["query"]
    try:
        SavedFilter.save_as(form.cleaned_data["name"], reviewer=request.user, shown_on=shown_on, query=query)
    except TooManyFilters:
        messages.error(request, f"You have {MOST} saved filters here: delete one first.")
    return _back(shown_on, query)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one of the reviewer's own filters, and redirect to its list."""
    found = SavedFilter.objects.filter(pk=pk, reviewer=request.user.pk).first()
    if found is None:
        raise Http404("You have no such saved filter.")
    found.delete()
    return _back(found.shown_on, "")


def _back(shown_on: str, query: str) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"admin:chat_{shown_on}_changelist") + (f"?{query}" if query else ""))
