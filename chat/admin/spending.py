"""The admin of spending: the tokens of each model by user and day, and their cost by `WONDERCAM_PRICES`.

Tokens are counted when answers end (`chat/log/usage.py`), so deleting a chat does not change them. Above the list are
the totals of the filtered rows, by model, and by the users with the highest cost.
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
"""The most rows, the newest, in the totals: those of 100 users with five models in 100 days."""
DAYS = 90
"""The filter offers the models of so many days."""
SHOWN_PEOPLE = 15
MILLION = 1_000_000


@dataclass
class Total:
    """A total of several rows. `estimated`: answers whose tokens are estimated; `cost`: None if no row has a price;
    `unpriced`: tokens of models without a price."""

    name: str
    answers: int = 0
    estimated: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal | None = None
    unpriced: int = 0

    def add(self, model: str, used: dict[str, Any]) -> None:
        """Add a row of a model."""
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
        """Answers, input tokens, output tokens (with ≈ if some are estimated), cost (with + if some have no price)."""
        amount = in_words(self.cost) + (" +" if self.cost is not None and self.unpriced else "")
        return f"{self.answers:,}", f"{self.tokens_in:,}", tokens_in_words(self.tokens_out, self.estimated), amount


def cost_of(model: str, tokens_in: int, tokens_out: int) -> Decimal | None:
    """Return the cost by the price of the model, or of `provider/*`; None without a price."""
    price = settings.PRICES.get(model) or settings.PRICES.get(f"{model.partition('/')[0]}/*")
    return None if price is None else (price[0] * tokens_in + price[1] * tokens_out) / MILLION


def tokens_in_words(tokens: int, estimated: int) -> str:
    """Return `1,234`, or `≈ 1,234` if some are estimated."""
    return f"{'≈ ' if estimated else ''}{tokens:,}"


def in_words(cost: Decimal | None) -> str:
    """Return `1,234.50 USD`; with four decimal places below 1, because single answers cost little."""
    if cost is None:
        return "–"
    return f"{cost:,.2f} {settings.CURRENCY}" if cost >= 1 or not cost else f"{cost:.4f} {settings.CURRENCY}"


class SpentModelFilter(admin.SimpleListFilter):
    """Filters by model."""

    title = parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the models of the last `DAYS`, and the selected one."""
        recent = ModelUse.objects.filter(day__gt=datetime.now(UTC).date() - timedelta(days=DAYS))
        names = {*recent.values_list("model", flat=True)[:ADDED_UP], *filter(None, [self.value()])}
        return [(name, name) for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the selected model."""
        return queryset.filter(model=self.value()) if self.value() else queryset


@admin.register(ModelUse)
class SpendingAdmin(ReadOnlyList):
    """A read-only list of usage, with totals."""

    list_display = ("day", "person", "model", "answers", "given", "made", "cost")
    list_display_links = None
    list_filter = ("day", UserFilter, SpentModelFilter)
    list_select_related = ("user",)
    change_list_template = "admin/chat/spending.html"

    class Media:
        css = {"all": ["chat/admin.css"]}

    @admin.display(description="user")
    def person(self, row: ModelUse) -> str:
        """The user's name."""
        return name_of(row.user.get_username() if row.user else None)

    @admin.display(description="tokens in")
    def given(self, row: ModelUse) -> str:
        """The input tokens."""
        return f"{row.tokens_in:,}"

    @admin.display(description="tokens out")
    def made(self, row: ModelUse) -> str:
        """The output tokens, with ≈ if some are estimated."""
        return tokens_in_words(row.tokens_out, row.estimated)

    @admin.display(description="cost")
    def cost(self, row: ModelUse) -> str:
        """The cost by the current prices."""
        return in_words(cost_of(row.model, row.tokens_in, row.tokens_out))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list with the totals of the filtered rows."""
        response = super().changelist_view(request, {"title": "Spending", **(extra_context or {})})
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data.update(totals(response.context_data["cl"].queryset))
        return response


def totals(chosen: QuerySet[ModelUse]) -> dict[str, Any]:
    """Return the totals of the newest rows: of all, by model, and by user, the highest cost (or usage) first."""
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
    """Return totals grouped by a field, the highest cost first."""
    found: defaultdict[Any, Total] = defaultdict(lambda: Total(""))
    for row in used:
        found[row[field]].add(row["model"], row)
    for name, total in found.items():
        total.name = name or ""
    return sorted(found.values(), key=lambda total: (total.cost or 0, total.tokens_in + total.tokens_out), reverse=True)


def name_of(username: str | None) -> str:
    """Return a user's name, or the label for deleted accounts."""
    return username or "(deleted accounts)"
