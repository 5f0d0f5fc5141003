"""The budget of one UTC day of each user: questions and tokens (input and output). That of all is in `site_budget.py`.

A question is counted by one conditional statement in the transaction that stores it: concurrent questions in any number
of processes cannot exceed a user's limit, and a question that is not stored is not counted. Tokens are counted when an
answer has ended (`chat/log/usage.py`), so the last answers of a day may exceed the budget.
"""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from chat.limits import site_budget
from chat.limits.day import day_of, in_words, seconds_of_day_left
from chat.limits.rates import of
from chat.log.sql import DJANGO, Database
from chat.models import DailyUse
from chat.protocol.errors import ResourceExhausted

TABLE = DailyUse._meta.db_table

ONE_MORE_QUESTION = f"""
INSERT INTO {TABLE} (user_id, day, questions, tokens) VALUES (%s, %s, 1, 0)
ON CONFLICT (user_id, day) DO UPDATE SET questions = {TABLE}.questions + 1
WHERE {TABLE}.questions < %s AND {TABLE}.tokens < %s
RETURNING questions
"""

QUESTIONS = f"SELECT questions FROM {TABLE} WHERE user_id = %s AND day = %s"


def spend_question(user_id: int, database: Database = DJANGO, *, is_guest: bool = False) -> None:
    """Count one question. Raises ResourceExhausted, with `retry_after` until midnight UTC, if no budget is left.

    With a `database` that sends statements later, the check and its error follow when their results have arrived.
    """
    if settings.LIMITS_OFF:
        return
    who = "_GUEST" if is_guest else ""
    questions, tokens = of(f"DAY_QUESTIONS{who}"), of(f"DAY_TOKENS{who}")
    now = datetime.now(UTC)
    site_budget.spend(database, now)

    def check(counted: list[Any]) -> None:
        if not counted:
            asked = database.query(QUESTIONS, (user_id, day_of(now)))[0][0]
            raise used_up(asked, questions, tokens, seconds_of_day_left(now))

    database.verify(ONE_MORE_QUESTION, (user_id, day_of(now), questions, tokens), check)


def used_up(asked: int, questions: int, tokens: int, left: int) -> ResourceExhausted:
    """Return the error for a user without budget; the day ends in `left` seconds."""
    many = "question" if questions == 1 else "questions"
    spent = f"asked {questions:,} {many}" if asked >= questions else f"used {tokens:,} tokens"
    return ResourceExhausted(
        f"You have {spent} today, as many as one day allows: you can continue after midnight UTC, in {in_words(left)}.",
        retry_after=left,
    )


def has_tokens_left(user_id: int, *, is_guest: bool = False) -> bool:
    """Whether user and site have tokens left for a request that no user has made, such as for a title."""
    if settings.LIMITS_OFF:
        return True
    now = datetime.now(UTC)
    try:
        site_budget.refuse_without_tokens(DJANGO, now)
    except ResourceExhausted:
        return False
    used = DailyUse.objects.filter(user=user_id, day=now.date()).values_list("tokens", flat=True).first()
    return (used or 0) < of(f"DAY_TOKENS{'_GUEST' if is_guest else ''}")


def today_of(user_id: int, *, is_guest: bool) -> dict[str, Any]:
    """What a user has used of today, the most that one day allows, and how the site's budget stands to what is left."""
    used = DailyUse.objects.filter(user=user_id, day=datetime.now(UTC).date()).first() or DailyUse()
    who = "_GUEST" if is_guest else ""
    questions, tokens = of(f"DAY_QUESTIONS{who}"), of(f"DAY_TOKENS{who}")
    return {
        "questions": used.questions,
        "tokens": used.tokens,
        "most_questions": questions,
        "most_tokens": tokens,
        "site": site_budget.standing(questions - used.questions, tokens - used.tokens),
    }
