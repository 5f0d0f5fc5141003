"""The budget of one UTC day: questions and tokens (input and output) per user and of the whole site.

A question is counted by one conditional statement in the transaction that stores it: concurrent questions in any number
of processes cannot exceed a user's limit, and a question that is not stored is not counted. Tokens are counted when an
answer has ended (`chat/log/usage.py`), so the last answers of a day may exceed the budget.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from chat.limits.rates import of
from chat.log.sql import DJANGO, Database
from chat.models import DailyUse, ModelUse
from chat.protocol.errors import ResourceExhausted

TABLE = DailyUse._meta.db_table

ONE_MORE_QUESTION = f"""
INSERT INTO {TABLE} (user_id, day, questions, tokens) VALUES (%s, %s, 1, 0)
ON CONFLICT (user_id, day) DO UPDATE SET questions = {TABLE}.questions + 1
WHERE {TABLE}.questions < %s AND {TABLE}.tokens < %s
RETURNING questions
"""

USE_OF_ALL = f"""
SELECT COALESCE(SUM(questions), 0), COALESCE(SUM(tokens), 0) FROM (
    SELECT questions, tokens FROM {TABLE} WHERE day = %s
    UNION ALL
    SELECT answers, tokens_in + tokens_out FROM {ModelUse._meta.db_table} WHERE day = %s AND user_id IS NULL) of_all
"""
"""Of those whose account is gone the spending is left: nobody gives the site its day back by deleting an account."""

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
    refuse_what_the_site_has_not_left(database, now, of("DAY_QUESTIONS_SITE"))

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
        f"You have {spent} today, as many as one day allows: you can go on after midnight UTC, in {in_words(left)}.",
        retry_after=left,
    )


def refuse_what_the_site_has_not_left(database: Database, now: datetime, most_questions: int) -> None:
    """Raise ResourceExhausted if the site's questions or tokens of the day are used. 0 is no limit; where neither is
    limited, it sends no query."""
    most_tokens = of("DAY_TOKENS_SITE")
    if not most_questions and not most_tokens:
        return

    def check(used: list[Any]) -> None:
        questions, tokens = used[0]
        left = seconds_of_day_left(now)
        until = in_words(left)
        if most_questions and questions >= most_questions:
            raise ResourceExhausted(
                f"This site has been asked as often as one day allows, {most_questions:,}: "
                f"it goes on after midnight UTC, in {until}.",
                retry_after=left,
            )
        if most_tokens and tokens >= most_tokens:
            raise ResourceExhausted(
                f"This site has used its {most_tokens:,} tokens of today: it goes on after midnight UTC, in {until}.",
                retry_after=left,
            )

    database.verify(USE_OF_ALL, (day_of(now), day_of(now)), check)


def has_tokens_left(user_id: int, *, is_guest: bool = False) -> bool:
    """Whether user and site have tokens left for a request that no user has made, such as for a title."""
    if settings.LIMITS_OFF:
        return True
    now = datetime.now(UTC)
    try:
        refuse_what_the_site_has_not_left(DJANGO, now, most_questions=0)
    except ResourceExhausted:
        return False
    used = DailyUse.objects.filter(user=user_id, day=now.date()).values_list("tokens", flat=True).first()
    return (used or 0) < of(f"DAY_TOKENS{'_GUEST' if is_guest else ''}")


def day_of(now: datetime) -> str:
    """Return the date in ISO format, which both databases take."""
    return now.date().isoformat()


def seconds_of_day_left(now: datetime) -> int:
    """Return the seconds to midnight, rounded up."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return -((now - midnight) // timedelta(seconds=1))


def in_words(seconds: int) -> str:
    """Return `5 h 12 min` or `12 min`, rounded up to minutes."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
