"""Spending: tokens counted when answers end, and their cost by user, day and model."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat.accounts import ended
from chat.admin import spending
from chat.log.sql import django_execute, key_of
from chat.log.usage import Spent, count_spending, spent_of
from chat.models import Conversation, Message, ModelUse, Stream, User
from tests.inside import Core
from wondercam import prices

TODAY = datetime.now(UTC).date()
LIST = "admin:chat_modeluse_changelist"


@pytest.fixture
def chief(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


@pytest.fixture
def two_prices(settings: Any) -> None:
    settings.PRICES = {"gemini/flash": (Decimal("0.30"), Decimal("2.50")), "openai/*": (Decimal(1), Decimal(4))}


def used(who: str, model: str, day: date = TODAY, **counts: int) -> ModelUse:
    user, _ = User.objects.get_or_create(username=who)
    return ModelUse.objects.create(user=user, day=day, model=model, **{"answers": 1, **counts})


def page(client: Client, **query: str) -> str:
    return client.get(reverse(LIST), query).content.decode()


def rows_of(text: str) -> dict[str, list[str]]:
    """The tables above the list: what each row says."""
    above = text[text.index('class="spending"') : text.index("</section>")]
    return {
        name: re.findall(r"<td>(.*?)</td>", cells)
        for name, cells in re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', above, re.DOTALL)
    }


# What is counted


@pytest.mark.parametrize(
    ("usage", "spent"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12}, (5, 7, False)),
        (
            {"promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 3, "totalTokenCount": 15},
            (5, 10, False),
        ),
        ({"promptTokenCount": 5, "toolUsePromptTokenCount": 2, "totalTokenCount": 20}, (7, 13, False)),
        ({"promptTokenCount": 5, "candidatesTokenCount": 7}, (5, 7, False)),
        ({"candidatesTokenCount": 7, "totalTokenCount": 12}, (5, 7, False)),
        ({"promptTokenCount": 50, "totalTokenCount": 12}, (12, 0, False)),
        ({"promptTokenCount": -1, "totalTokenCount": 2**60, "candidatesTokenCount": True}, (0, 3, True)),
        ({}, (0, 3, True)),
        (None, (0, 3, True)),
    ],
    ids=str,
)
def test_tokens_are_split_into_what_was_given_and_what_was_made(usage, spent):
    assert spent_of(usage, [{"text": "x" * 8}, {"inlineData": {}}]) == Spent(*spent)


def test_an_answer_without_words_and_without_figures_is_no_guess():
    assert spent_of(None, []) == (0, 0, False)


async def test_each_answer_is_counted_by_its_model_with_limits_on_or_off(core: Core, settings):
    for limits_off in (True, False):
        settings.LIMITS_OFF = limits_off
        await core.ended(await core.ask("words=5 gap=0"))
    streams = [stream async for stream in Stream.objects.all()]
    row = await ModelUse.objects.aget()
    assert (row.user_id, row.day, row.model) == (core.user.pk, streams[0].ended_at.date(), streams[0].model_id)
    assert row.answers == 2
    total = sum(stream.usage["totalTokenCount"] for stream in streams)
    assert row.tokens_in + row.tokens_out == total > 0
    assert row.estimated == 0


@pytest.mark.django_db
def test_what_was_used_outlives_the_chat_and_the_account_without_its_name(chief: Client):
    alice = User.objects.create_user("alice")
    talk = Conversation.objects.create(user=alice)
    answer = Message.objects.create(conversation=talk, role=Message.MODEL)
    stream = Stream.objects.create(
        user=alice, conversation=talk, answer=answer, provider="gemini", model="flash", created_at=datetime.now(UTC)
    )
    count_spending(django_execute, key_of(stream.pk), TODAY.isoformat(), {"totalTokenCount": 9}, [])
    talk.delete()
    alice.delete()
    row = ModelUse.objects.get()
    assert (row.user, row.tokens_in + row.tokens_out) == (None, 9)
    shown = page(chief)
    assert "(deleted accounts)" in shown
    assert "alice" not in shown


@pytest.mark.django_db
def test_it_is_kept_for_a_year_and_a_month():
    now = datetime.now(UTC)
    used("alice", "gemini/flash", TODAY - timedelta(days=ended.SPENDING_DAYS + 1))
    kept = used("alice", "gemini/flash", TODAY - timedelta(days=ended.SPENDING_DAYS - 1))
    assert ended.delete_batch(ended.rows(now, now)["spending"]) == 1
    assert ModelUse.objects.get() == kept


# What is shown


@pytest.mark.usefixtures("two_prices")
def test_the_list_shows_each_person_day_and_model_with_its_cost(chief: Client):
    used("alice", "gemini/flash", answers=3, tokens_in=1_000_000, tokens_out=2_000_000)
    used("bob", "openai/x", estimated=1, tokens_out=1_500)
    shown = page(chief)
    assert "5.30 USD" in shown
    assert "0.0060 USD" in shown
    assert "1,000,000" in shown
    assert "≈ 1,500" in shown


@pytest.mark.usefixtures("two_prices")
def test_what_is_chosen_is_added_up_by_model_and_by_person(chief: Client):
    used("alice", "gemini/flash", tokens_in=1_000_000, tokens_out=2_000_000)
    used("alice", "gemini/flash", TODAY - timedelta(days=1), answers=2, tokens_out=400_000)
    used("alice", "local/small", tokens_out=10)
    used("bob", "openai/x", tokens_in=1_000_000)
    rows = rows_of(page(chief))
    assert rows["gemini/flash"] == ["3", "1,000,000", "2,400,000", "6.30 USD"]
    assert rows["alice"] == ["4", "1,000,000", "2,400,010", "6.30 USD +"]
    assert rows["bob"] == ["1", "1,000,000", "0", "1.00 USD"]
    assert rows["local/small"] == ["1", "0", "10", "–"]
    assert rows["all"] == ["5", "2,000,000", "2,400,010", "7.30 USD +"]
    assert next(iter(rows)) == "gemini/flash"
    bob = str(User.objects.get(username="bob").pk)
    assert rows_of(page(chief, user=bob)).keys() == {"openai/x", "bob", "all"}
    assert rows_of(page(chief, model="local/small")).keys() == {"local/small", "alice", "all"}
    assert rows_of(page(chief, day__gte=TODAY.isoformat()))["all"][0] == "3"


def test_without_prices_it_is_said_how_to_set_them(chief: Client):
    used("alice", "gemini/flash", tokens_out=5)
    shown = page(chief)
    assert "WONDERCAM_PRICES" in shown
    assert rows_of(shown)["all"] == ["1", "0", "5", "–"]


def test_only_the_newest_rows_are_added_up_and_it_is_said(chief: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spending, "ADDED_UP", 2)
    for days in range(3):
        used("alice", "gemini/flash", TODAY - timedelta(days=days), tokens_out=10**days)
    shown = page(chief)
    assert rows_of(shown)["all"][2] == "11"
    assert "The newest 2 rows" in shown


def test_it_asks_the_same_number_of_questions_for_one_row_and_for_many(chief: Client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(chief)
        return len(asked.captured_queries)

    used("alice", "gemini/flash")
    few = queries()
    for number in range(20):
        used(f"p{number}", f"openai/{number}")
    assert queries() == few


def test_a_name_never_becomes_markup(chief: Client):
    used("<b>x", "openai/<script>")
    shown = page(chief)
    assert "<b>x" not in shown
    assert "&lt;script&gt;" in shown


def test_it_needs_a_permission_of_its_own_and_nobody_changes_it(db: None, chief: Client):
    row = used("alice", "gemini/flash")
    staff = Client()
    staff.force_login(User.objects.create_user("staff", is_staff=True))
    assert staff.get(reverse(LIST)).status_code == 403
    assert chief.post(reverse("admin:chat_modeluse_delete", args=[row.pk])).status_code == 403
    assert chief.get(reverse("admin:chat_modeluse_add")).status_code == 403


# Prices


def test_prices_are_read_for_models_and_for_all_of_a_provider(settings):
    found = prices.prices(["gemini/gemini-2.5-flash=0.30/2.50", "ollama/gemma3:4b = 0/0", "openai/*=1/4"])
    assert found["gemini/gemini-2.5-flash"] == (Decimal("0.30"), Decimal("2.50"))
    settings.PRICES = found
    assert spending.cost_of("openai/any", 500_000, 0) == Decimal("0.5")
    assert spending.cost_of("ollama/gemma3:4b", 5, 5) == 0
    assert spending.cost_of("ollama/other", 5, 5) is None


@pytest.mark.parametrize(
    "wrong", ["gemini=1/2", "gemini/x=1", "gemini/x=-1/2", "gemini/x=1/2/3", "gemini/x=a/b", "=1/2", "gemini/x=1,5/2"]
)
def test_what_is_no_price_is_refused_with_one_that_is(wrong):
    with pytest.raises(ImproperlyConfigured, match=r"WONDERCAM_PRICES.*gemini/gemini-2.5-flash=0.30/2.50"):
        prices.prices([wrong])


def test_two_prices_of_a_model_are_refused():
    with pytest.raises(ImproperlyConfigured, match="two prices of openai/x"):
        prices.prices(["openai/x=1/2", "openai/x=1/3"])


@pytest.mark.parametrize("wrong", ["$", "usd", "EURO"])
def test_a_currency_is_three_letters(wrong):
    with pytest.raises(ImproperlyConfigured, match="WONDERCAM_CURRENCY"):
        prices.currency(wrong)


async def test_an_answer_that_ends_is_not_counted_twice(core: Core):
    """The end is stored once, whoever tries: `chat/log/fence.py`."""
    started = await core.ask("words=3 gap=0")
    await core.ended(started)
    await core.ended(started)
    assert await sync_to_async(ModelUse.objects.values_list("answers", flat=True).get)() == 1
