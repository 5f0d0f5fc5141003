"""The budget of a day: what is counted, and the errors when it is used."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import limits
from chat.limits import day, site_budget
from chat.log.sql import django_execute, key_of
from chat.log.usage import count_tokens, tokens_of
from chat.models import Conversation, DailyUse, Message, Stream, User
from chat.protocol.errors import ResourceExhausted
from tests.inside import Core


@pytest.fixture(autouse=True)
def small_budget(settings: Any) -> None:
    settings.LIMITS_OFF = False
    small = {"DAY_QUESTIONS": 3, "DAY_TOKENS": 1000, "DAY_QUESTIONS_GUEST": 1, "DAY_TOKENS_GUEST": 10}
    settings.LIMITS = {**settings.LIMITS, **small}


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


def stream_of(user: User) -> Stream:
    talk = Conversation.objects.create(user=user)
    answer = Message.objects.create(conversation=talk, role=Message.MODEL)
    return Stream.objects.create(user=user, conversation=talk, answer=answer, created_at=timezone.now())


def use_of(user: User) -> tuple[int, int]:
    """(questions, tokens) of today."""
    found = DailyUse.objects.get(user=user, day=datetime.now(UTC).date())
    return found.questions, found.tokens


def test_a_question_too_many_is_refused_until_midnight(alice):
    for _ in range(3):
        limits.spend_question(alice.pk)
    with pytest.raises(ResourceExhausted) as refused:
        limits.spend_question(alice.pk)
    left = day.seconds_of_day_left(datetime.now(UTC))
    assert left <= refused.value.retry_after <= left + 2
    assert "3 questions" in refused.value.message
    assert "midnight UTC" in refused.value.message
    assert use_of(alice) == (3, 0)


def test_all_people_together_have_a_budget_where_one_is_set(alice, settings):
    bob = User.objects.create_user("bob")
    for ago, tokens in ((0, 600), (1, 9_000)):
        DailyUse.objects.create(user=bob, day=datetime.now(UTC).date() - timedelta(days=ago), tokens=tokens)
    limits.spend_question(alice.pk)
    settings.LIMITS["DAY_TOKENS_SITE"] = 601
    limits.spend_question(alice.pk)
    settings.LIMITS["DAY_TOKENS_SITE"] = 600
    with pytest.raises(ResourceExhausted) as refused:
        limits.spend_question(alice.pk)
    assert "This site has used its 600 tokens" in refused.value.message
    assert refused.value.retry_after >= day.seconds_of_day_left(datetime.now(UTC))
    assert use_of(alice) == (2, 0)


def test_all_people_together_have_a_budget_of_questions_where_one_is_set(alice, settings):
    bob = User.objects.create_user("bob")
    for ago, questions in ((0, 2), (1, 9_000)):
        DailyUse.objects.create(user=bob, day=datetime.now(UTC).date() - timedelta(days=ago), questions=questions)
    settings.LIMITS["DAY_QUESTIONS_SITE"] = 3
    limits.spend_question(alice.pk)
    with pytest.raises(ResourceExhausted) as refused:
        limits.spend_question(alice.pk)
    said = "This site has been asked as often as one day allows, 3: it continues after midnight UTC, in "
    assert refused.value.message.startswith(said)
    assert refused.value.retry_after >= day.seconds_of_day_left(datetime.now(UTC))
    assert use_of(alice) == (1, 0)
    assert limits.has_tokens_left(alice.pk)  # a title of an answer that was given is no question


def test_the_sites_budget_is_one_statement_of_a_question_and_none_where_there_is_none(alice, settings):
    def counted() -> int:
        with CaptureQueriesContext(connection) as captured:
            limits.spend_question(alice.pk)
        return len(captured)

    settings.LIMITS["DAY_QUESTIONS"] = 10
    found = []
    for questions, tokens in ((0, 0), (9, 0), (0, 9), (9, 9)):
        settings.LIMITS |= {"DAY_QUESTIONS_SITE": questions, "DAY_TOKENS_SITE": tokens}
        found.append(counted())
    assert found == [1, 2, 2, 2]


def test_with_both_budgets_the_one_that_ended_is_named(alice, settings):
    settings.LIMITS |= {"DAY_QUESTIONS_SITE": 2, "DAY_TOKENS_SITE": 600}
    limits.spend_question(alice.pk)
    DailyUse.objects.update(tokens=600)
    with pytest.raises(ResourceExhausted, match="used its 600 tokens of today"):
        limits.spend_question(User.objects.create_user("bob").pk)
    DailyUse.objects.update(tokens=599)
    limits.spend_question(User.objects.get(username="bob").pk)
    with pytest.raises(ResourceExhausted, match="allows, 2:"):
        limits.spend_question(User.objects.get(username="bob").pk)


def test_how_the_sites_budget_stands_is_told_without_a_number_of_others(alice, settings):
    DailyUse.objects.create(user=User.objects.create_user("bob"), day=datetime.now(UTC).date(), questions=4, tokens=90)
    assert site_budget.standing(3, 1000) == "enough"
    found = []
    for questions, tokens in ((7, 0), (6, 0), (4, 0), (0, 1090), (0, 1089), (0, 90), (7, 1089), (6, 90)):
        settings.LIMITS |= {"DAY_QUESTIONS_SITE": questions, "DAY_TOKENS_SITE": tokens}
        found.append(site_budget.standing(3, 1000))
    assert found == ["enough", "less", "used_up", "enough", "less", "used_up", "less", "used_up"]
    settings.LIMITS_OFF = True
    assert site_budget.standing(3, 1000) == "enough"


async def test_a_turn_over_the_questions_of_all_is_neither_stored_nor_counted(core: Core, settings):
    settings.LIMITS["DAY_QUESTIONS_SITE"] = 1
    first = await core.ask("words=5 gap=0", request_id="once")
    await core.ended(first)
    with pytest.raises(ResourceExhausted, match="as often as one day allows, 1:"):
        await core.ask("words=5 gap=0")
    assert await Stream.objects.acount() == 1
    assert (await sync_to_async(use_of)(core.user))[0] == 1
    assert (await core.ask("words=5 gap=0", request_id="once")).pk == first.pk


async def test_an_account_that_is_deleted_takes_nothing_of_the_sites_day_with_it(core: Core, settings, alice):
    await core.ended(await core.ask("words=5 gap=0"))
    await sync_to_async(core.user.delete)()
    assert not await DailyUse.objects.filter(user=core.user.pk).aexists()
    spend = sync_to_async(limits.spend_question)
    for name, match in (("DAY_QUESTIONS_SITE", "allows, 1:"), ("DAY_TOKENS_SITE", "its 1 tokens")):
        settings.LIMITS = {**settings.LIMITS, "DAY_QUESTIONS_SITE": 0, "DAY_TOKENS_SITE": 0, name: 1}
        with pytest.raises(ResourceExhausted, match=match):
            await spend(alice.pk)


def test_another_day_begins_anew(alice):
    DailyUse.objects.create(user=alice, day=datetime.now(UTC).date() - timedelta(days=1), questions=3, tokens=1000)
    limits.spend_question(alice.pk)
    assert use_of(alice) == (1, 0)


def test_one_persons_day_is_nobody_elses(alice):
    for _ in range(3):
        limits.spend_question(alice.pk)
    limits.spend_question(User.objects.create_user("bob").pk)


def test_a_guest_has_a_budget_of_its_own(alice):
    limits.spend_question(alice.pk, is_guest=True)
    with pytest.raises(ResourceExhausted, match="asked 1 question today"):
        limits.spend_question(alice.pk, is_guest=True)


def test_used_tokens_end_the_day_too_and_are_named(alice):
    limits.spend_question(alice.pk)
    stream = stream_of(alice)
    count_tokens(django_execute, key_of(stream.pk), {"totalTokenCount": 1000}, [])
    assert use_of(alice) == (1, 1000)
    with pytest.raises(ResourceExhausted, match="1,000 tokens"):
        limits.spend_question(alice.pk)


def test_an_answer_that_ends_after_midnight_counts_for_its_questions_day(alice):
    yesterday = DailyUse.objects.create(user=alice, day=datetime.now(UTC).date() - timedelta(days=1), questions=1)
    count_tokens(django_execute, key_of(stream_of(alice).pk), {"totalTokenCount": 7}, [])
    assert DailyUse.objects.get(pk=yesterday.pk).tokens == 7


def test_nothing_is_counted_where_limits_are_off(alice, settings):
    settings.LIMITS_OFF = True
    limits.spend_question(alice.pk)
    count_tokens(django_execute, key_of(stream_of(alice).pk), {"totalTokenCount": 7}, [])
    assert not DailyUse.objects.exists()


def test_what_is_not_stored_is_not_counted(alice):
    with transaction.atomic():
        limits.spend_question(alice.pk)
        transaction.set_rollback(True)
    assert not DailyUse.objects.exists()


@pytest.mark.parametrize(
    ("usage", "text", "tokens"),
    [
        ({"totalTokenCount": 12}, "x" * 400, 12),
        ({"promptTokenCount": 900, "candidatesTokenCount": 12}, "x" * 40, 912),
        ({"totalTokenCount": "many"}, "", 0),
        ({"totalTokenCount": -5}, "", 0),
        (None, "", 0),
    ],
    ids=str,
)
def test_tokens_are_those_that_the_provider_names(usage, text, tokens):
    assert tokens_of(usage, [{"text": text}]) == tokens


def test_and_a_guess_where_it_names_none():
    assert 50 < tokens_of(None, [{"text": "x" * 400}, {"attachment": "photo"}]) < 200


async def test_a_turn_is_counted_with_its_tokens_and_a_joined_one_is_not(core: Core, settings):
    settings.LIMITS["DAY_QUESTIONS"] = 2
    started = await core.ask("words=5 gap=0", request_id="once")
    await core.ended(started)
    await core.ask("words=5 gap=0", request_id="once")
    questions, tokens = await sync_to_async(use_of)(core.user)
    assert questions == 1
    usage = (await Stream.objects.aget(pk=started.pk)).usage
    assert tokens == usage["totalTokenCount"] > 0
    await core.ended(await core.ask("words=5 gap=0"))
    with pytest.raises(ResourceExhausted, match="2 questions"):
        await core.ask("words=5 gap=0")
    assert await Stream.objects.acount() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_not_one_too_many_gets_through(settings):
    settings.LIMITS["DAY_QUESTIONS"] = 10
    alice = User.objects.create_user("alice")
    together, passed = threading.Barrier(4), []

    def ask() -> None:
        together.wait()
        for _ in range(5):
            try:
                with transaction.atomic():
                    limits.spend_question(alice.pk)
            except ResourceExhausted:
                continue
            passed.append(1)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 10
    assert use_of(alice) == (10, 0)


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 min"), (61, "2 min"), (3600, "1 h 0 min"), (5000, "1 h 24 min")])
def test_the_wait_is_said_in_words_and_never_too_short(seconds, words):
    assert day.in_words(seconds) == words
