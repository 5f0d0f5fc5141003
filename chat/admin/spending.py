"""Spending: what was used of each model, by person and day, and what that costs by `WONDERCAM_PRICES`.

The rows are counted as answers end (`chat/log/usage.py`), so a deleted chat takes nothing away. What is chosen by the
filters is added up above the list: by model, and by the people who cost most.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from chat.admin.lists import ReadOnlyList
from chat.admin.readonly import UserFilter
from chat.models import ModelUse

ADDED_UP = 50_000
"""The newest rows that are added up: those of 100 people with five models and 100 days."""
DAYS = 90
"""Of which models are offered by the filter."""
SHOWN_PEOPLE = 15
MILLION = 1_000_000


@dataclass
class Total:
    """What was used of something. `cost` is None as long as nothing of it has a price; `unpriced`: tokens without."""

    name: str
    answers: int = 0
    estimated: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal | None = None
    unpriced: int = 0

    def add(self, model: str, used: dict[str, Any]) -> None:
        """Add what was used of a model."""
        self.answers += used["answers"]
        self.estimated += used["estimated"]
        self.tokens_in += used["tokens_in"]
        self.tokens_out += used["tokens_out"]
        cost = cost_of(model, used["tokens_in"], used["tokens_out"])
        if cost is None:
            self.unpriced += used["tokens_in"] + used["tokens_out"]
        else:
            self.cost = (self.cost or Decimal(0)) + cost

    @property
    def cells(self) -> tuple[str, ...]:
        """Answers, tokens in and out, cost; with a sign where some tokens are a guess, or some have no price."""
        amount = in_words(self.cost) + (" +" if self.cost is not None and self.unpriced else "")
        return f"{self.answers:,}", f"{self.tokens_in:,}", tokens_in_words(self.tokens_out, self.estimated), amount


def cost_of(model: str, tokens_in: int, tokens_out: int) -> Decimal | None:
    """By the price of the model, else that of its provider's others; None where there is neither."""
    price = settings.PRICES.get(model) or settings.PRICES.get(f"{model.partition('/')[0]}/*")
    return None if price is None else (price[0] * tokens_in + price[1] * tokens_out) / MILLION


def tokens_in_words(tokens: int, estimated: int) -> str:
    """`1,234`, or `≈ 1,234` where some answers' are a guess."""
    return f"{'≈ ' if estimated else ''}{tokens:,}"


def in_words(cost: Decimal | None) -> str:
    """`1,234.50 USD`; four places below one, for an answer costs little."""
    if cost is None:
        return "–"
    return f"{cost:,.2f} {settings.CURRENCY}" if cost >= 1 or not cost else f"{cost:.4f} {settings.CURRENCY}"


class SpentModelFilter(admin.SimpleListFilter):
    """Which model."""

    title = parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that were used in the last months, and the one chosen."""
        recent = ModelUse.objects.filter(day__gt=datetime.now(UTC).date() - timedelta(days=DAYS))
        names = {*recent.values_list("model", flat=True)[:ADDED_UP], *filter(None, [self.value()])}
        return [(name, name) for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen one."""
        return queryset.filter(model=self.value()) if self.value() else queryset


@admin.register(ModelUse)
class SpendingAdmin(ReadOnlyList):
    """A list to read."""

    list_display = ("day", "person", "model", "answers", "given", "made", "cost")
    list_display_links = None
    list_filter = ("day", UserFilter, SpentModelFilter)
    list_select_related = ("user",)
    change_list_template = "admin/chat/spending.html"

    class Media:
        css = {"all": ["chat/admin.css"]}

    @admin.display(description="user")
    def person(self, row: ModelUse) -> str:
        """Who asked."""
        return name_of(row.user.get_username() if row.user else None)

    @admin.display(description="tokens in")
    def given(self, row: ModelUse) -> str:
        """What the model was given."""
        return f"{row.tokens_in:,}"

    @admin.display(description="tokens out")
    def made(self, row: ModelUse) -> str:
        """What it made; with a sign where some of it is a guess."""
        return tokens_in_words(row.tokens_out, row.estimated)

    @admin.display(description="cost")
    def cost(self, row: ModelUse) -> str:
        """By today's prices."""
        return in_words(cost_of(row.model, row.tokens_in, row.tokens_out))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with what the chosen rows come to."""
        response = super().changelist_view(request, {"title": "Spending", **(extra_context or {})})
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data.update(totals(response.context_data["cl"].queryset))
        return response


def totals(chosen: QuerySet[ModelUse]) -> dict[str, Any]:
    """All of the newest rows, by model, and by person: those who cost most, or else used most."""
    newest = chosen.order_by("-day", "-id")
    counts = {name: Sum(name) for name in ("answers", "estimated", "tokens_in", "tokens_out")}
    rows = ModelUse.objects.filter(pk__in=newest.values("pk")[:ADDED_UP]).order_by()
    used: list[dict[str, Any]] = [dict(row) for row in rows.values("user__username", "model").annotate(**counts)]
    people = by(used, "user__username")
    for person in people:
        person.name = name_of(person.name)
    return {
        "all": by([{**row, "all": "all"} for row in used], "all"),
        "by_model": by(used, "model"),
        "by_person": people[:SHOWN_PEOPLE],
        "more_people": max(0, len(people) - SHOWN_PEOPLE),
        "added_up": ADDED_UP if newest[ADDED_UP : ADDED_UP + 1].exists() else 0,
        "has_prices": bool(settings.PRICES),
    }


def by(used: Iterable[dict[str, Any]], field: str) -> list[Total]:
    """Added up by a field, what costs most first."""
    found: defaultdict[Any, Total] = defaultdict(lambda: Total(""))
    for row in used:
        found[row[field]].add(row["model"], row)
    for name, total in found.items():
        total.name = name or ""
    return sorted(found.values(), key=lambda total: (total.cost or 0, total.tokens_in + total.tokens_out), reverse=True)


def name_of(username: str | None) -> str:
    """An account that was deleted has none any more."""
    return username or "(deleted accounts)"
