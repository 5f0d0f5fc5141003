"""Blind comparisons of two answers to one request: the waiting pairs, a page for each, and the results.

    list ── a pair, left and right at random (keys 1 to 4, Ctrl+Enter) ── the models, and their times

The models and the verdicts of others are shown only after a reviewer has filed a verdict.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from chat import review
from chat.accounts import audit
from chat.admin import access, comparison
from chat.admin.display import message_row
from chat.admin.verdict_pages import VerdictPages, user_of
from chat.models import PairVerdict, Stream
from chat.models.verdicts import LONGEST_NOTE
from chat.verdicts import pairs, scores
from chat.verdicts.pairs import Pair

SHOWN = 50
"""The most pairs in the list, and the most rows in the table of results."""

CHOICES = (
    ("left", "left is better"),
    ("right", "right is better"),
    ("tie", "both are as good"),
    ("bad", "both are bad"),
)


class PairForm(forms.Form):
    """The verdict on a pair: which answer is better, and a note."""

    choice = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect)
    note = forms.CharField(required=False, max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 3}))


@admin.register(PairVerdict)
class PairAdmin(VerdictPages):
    """The waiting pairs, instead of a list of verdicts on pairs. The permissions are those of verdicts."""

    folder = "pair"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Require the view permission of verdicts."""
        return request.user.has_perm("chat.view_verdict")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Require the add permission of verdicts."""
        return request.user.has_perm("chat.add_verdict")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a later verdict of the same reviewer counts instead."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Return the URLs of the list, a pair's page, and the CSV export."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.show_list), name="chat_pairverdict_changelist"),
            path("<uuid:first>/<uuid:second>/", view(self.pair), name="chat_pairverdict_pair"),
            path("pairs.csv", view(self.export_table), name="chat_pairverdict_table"),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the pairs that wait for this reviewer, and the results so far."""
        self.check_rights(request)
        filed = pairs.latest()
        context = {
            "title": "Compare answers",
            "rows": pairs.waiting(user_of(request))[:SHOWN],
            "standings": [each.row for each in pairs.standings(filed)[:SHOWN]],
            "left": pairs.left_share(filed),
            "filed": len(filed),
        }
        return self.page(request, "list", context)

    def pair(self, request: HttpRequest, first: UUID, second: UUID) -> HttpResponse:
        """Show two answers without their models, and the form; a POST stores the verdict. Then show the models."""
        self.check_rights(request, reads=True)
        found = self._pair(request, first, second)
        own = found.verdicts().filter(reviewer=user_of(request)).first()
        if request.method == "POST":
            return self._filed(request, found)
        if own is not None and "again" not in request.GET:
            return self._page_of(request, found, own=own, filed=found.verdicts())
        return self._page_of(request, found, form=PairForm())

    def _pair(self, request: HttpRequest, first: UUID, second: UUID) -> Pair:
        """Return the two streams. Raises Http404, and PermissionDenied if their texts are hidden."""
        rows = Stream.objects.select_related("user", "conversation", "answer").in_bulk([first, second])
        if len(rows) < 2 or not comparison.asked_the_same(*rows.values()):
            raise Http404("One of these streams does not exist, or their requests differ.")
        waits = pairs.waiting(user_of(request)).filter(stream__in=rows, original__in=rows).exists()
        for stream in rows.values():
            if waits:
                access.take_from_queue(request, stream, "pairs")
            access.check(request, stream)
            audit.record_reading(request, stream, why=access.reason(request, stream))
        return Pair.of(*rows.values())

    def _filed(self, request: HttpRequest, pair: Pair) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PairForm(request.POST)
        if not form.is_valid():
            return self._page_of(request, pair, form=form)
        pair.file(user_of(request), form.cleaned_data["choice"], form.cleaned_data["note"])
        return HttpResponseRedirect(pair_url(pair.one, pair.other))

    def _page_of(self, request: HttpRequest, pair: Pair, **more: Any) -> HttpResponse:
        sides = pair if pair.one_is_left(user_of(request)) else pair[::-1]
        (question, *_) = [turn for turn in reversed(review.turns_to(pair.one.answer)) if turn.message.role == "user"]
        context = {
            "title": "Two answers",
            "pair": pair,
            "question": message_row(question, texts=True),
            "sides": [
                (name, each, each.answer.text[: comparison.SHOWN_TEXT])
                for name, each in zip(("Left", "Right"), sides, strict=True)
            ],
            "may_file": self.has_add_permission(request),
            **more,
        }
        return self.page(request, "pair", context)

    def export_table(self, request: HttpRequest) -> HttpResponse:
        """Return the verdicts on pairs as CSV."""
        return self.export(
            request, "pairs.csv", "text/csv; charset=utf-8", scores.pair_table(self.noted(request, pairs.latest()))
        )


def pair_url(first: Stream, second: Stream) -> str:
    """Return the URL of a pair's page, the same for both orders."""
    pair = Pair.of(first, second)
    return reverse("admin:chat_pairverdict_pair", args=[pair.one.pk, pair.other.pk])
