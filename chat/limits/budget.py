"""How much in a day: questions, and the tokens of them and their answers, of each person and of all together.

A question is counted by one conditional statement in the transaction that stores it: of several at the same moment, in
whatever processes, not one too many gets through, and what is not stored is not counted. Tokens are known when an
answer has ended (`chat/log/usage.py`), so the last answers of a day may go over the budget.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

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

TOKENS_OF_ALL = f"SELECT COALESCE(SUM(tokens), 0) FROM {TABLE} WHERE day = %s"

QUESTIONS = f"SELECT questions FROM {TABLE} WHERE user_id = %s AND day = %s"


def spend_question(user_id: int, database: Database = DJANGO, *, is_guest: bool = False) -> None:
    """Take one question off the user's day; ResourceExhausted, until midnight UTC, when there is none left."""
    if settings.LIMITS_OFF:
        return
    who = "_GUEST" if is_guest else ""
    questions, tokens = of(f"DAY_QUESTIONS{who}"), of(f"DAY_TOKENS{who}")
    now = datetime.now(UTC)
    refuse_what_the_site_has_not_left(database, now)

    def check(counted: list[Any]) -> None:
        if not counted:
            asked = database.query(QUESTIONS, (user_id, day_of(now)))[0][0]
            raise used_up(asked, questions, tokens, seconds_of_day_left(now))

    database.verify(ONE_MORE_QUESTION, (user_id, day_of(now), questions, tokens), check)


def used_up(asked: int, questions: int, tokens: int, left: int) -> ResourceExhausted:
    """What a person is told who has used up a day that ends in `left` seconds."""
    many = "question" if questions == 1 else "questions"
    spent = f"asked {questions:,} {many}" if asked >= questions else f"used {tokens:,} tokens"
    return ResourceExhausted(
        f"You have {spent} today, as many as one day allows: you can go on after midnight UTC, in {in_words(left)}.",
        retry_after=left,
    )


def refuse_what_the_site_has_not_left(database: Database, now: datetime) -> None:
    """ResourceExhausted where all people together have used up the day; no query where that has no limit."""
    most = of("DAY_TOKENS_SITE")
    if not most:
        return

    def check(used: list[Any]) -> None:
        if used[0][0] < most:
            return
        left = seconds_of_day_left(now)
        sentence = (
            f"This site has used its {most:,} tokens of today: it goes on after midnight UTC, in {in_words(left)}."
        )
        raise ResourceExhausted(sentence, retry_after=left)

    database.verify(TOKENS_OF_ALL, (day_of(now),), check)


def has_tokens_left(user_id: int, *, is_guest: bool = False) -> bool:
    """Whether there is something left of the user's day, and of the site's, for what nobody has asked for."""
    if settings.LIMITS_OFF:
        return True
    now = datetime.now(UTC)
    try:
        refuse_what_the_site_has_not_left(DJANGO, now)
    except ResourceExhausted:
        return False
    used = DailyUse.objects.filter(user=user_id, day=now.date()).values_list("tokens", flat=True).first()
    return (used or 0) < of(f"DAY_TOKENS{'_GUEST' if is_guest else ''}")


def day_of(now: datetime) -> str:
    """The day as both databases take it."""
    return now.date().isoformat()


def seconds_of_day_left(now: datetime) -> int:
    """Whole seconds to midnight, rounded up."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return -((now - midnight) // timedelta(seconds=1))


def in_words(seconds: int) -> str:
    """`5 h 12 min`, or `12 min`; never less than it is."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
