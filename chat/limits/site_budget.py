"""The budget of one UTC day of all people together, where one is set: questions and tokens (input and output).

A question is counted in one row a day, by one conditional statement in the transaction that stores it: concurrent
questions in any number of processes cannot exceed the limit. The row is locked until that transaction ends, so it is
kept only where questions are limited; the first question of a day that finds none adds up what was asked before it.
Tokens are counted when an answer has ended, so the last answers of a day may exceed the budget.
"""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from chat.limits.day import day_of, in_words, seconds_of_day_left
from chat.limits.rates import of
from chat.log.sql import DJANGO, Database
from chat.models import DailyUse, ModelUse, SiteUse
from chat.protocol.errors import ResourceExhausted

TABLE = SiteUse._meta.db_table


def use_of_all(of_people: str, of_the_deleted: str) -> str:
    """A sum over all people of a day, which is given twice. Of those whose account is gone the spending is left:
    nobody gives the site its day back by deleting an account."""
    return (
        f"SELECT COALESCE(SUM(used), 0) FROM (SELECT {of_people} AS used FROM {DailyUse._meta.db_table} WHERE day = %s"
        f" UNION ALL SELECT {of_the_deleted} FROM {ModelUse._meta.db_table} WHERE day = %s AND user_id IS NULL) of_all"
    )


ASKED = use_of_all("questions", "answers")
TOKENS = use_of_all("tokens", "tokens_in + tokens_out")
COUNTED = f"SELECT questions FROM {TABLE} WHERE day = %s"
ASKED_BEFORE = f"CASE WHEN EXISTS ({COUNTED}) THEN 0 ELSE ({ASKED}) END"

ONE_MORE_QUESTION = f"""
WITH before AS (SELECT {ASKED_BEFORE} AS questions)
INSERT INTO {TABLE} (day, questions) SELECT %s, questions + 1 FROM before
WHERE questions < %s AND (%s = 0 OR ({TOKENS}) < %s)
ON CONFLICT (day) DO UPDATE SET questions = {TABLE}.questions + 1 WHERE {TABLE}.questions < %s
RETURNING questions
"""


def spend(database: Database, now: datetime) -> None:
    """Count one question of the site. Raises ResourceExhausted, with `retry_after` until midnight UTC, if no budget is
    left. One statement, and none where no budget is set."""
    most_questions, most_tokens = of("DAY_QUESTIONS_SITE"), of("DAY_TOKENS_SITE")
    if not most_questions:
        return refuse_without_tokens(database, now)
    day = day_of(now)

    def check(counted: list[Any]) -> None:
        if not counted:
            refuse_without_tokens(database, now, checked=True)
            left = seconds_of_day_left(now)
            raise ResourceExhausted(
                f"This site has been asked as often as one day allows, {most_questions:,}: "
                f"it continues after midnight UTC, in {in_words(left)}.",
                retry_after=left,
            )

    told = (day, day, day, day, most_questions, most_tokens, day, day, most_tokens, most_questions)
    database.verify(ONE_MORE_QUESTION, told, check)


def refuse_without_tokens(database: Database, now: datetime, *, checked: bool = False) -> None:
    """Raise ResourceExhausted if the site's tokens of the day are used; no statement where they are not limited.
    `checked`: ask at once, in a check, rather than before the commit."""
    most = of("DAY_TOKENS_SITE")
    if not most:
        return

    def check(used: list[Any]) -> None:
        if used[0][0] >= most:
            left = seconds_of_day_left(now)
            until = in_words(left)
            raise ResourceExhausted(
                f"This site has used its {most:,} tokens of today: it continues after midnight UTC, in {until}.",
                retry_after=left,
            )

    ask = (TOKENS, (day_of(now), day_of(now)))
    if checked:
        check(database.query(*ask))
    else:
        database.verify(*ask, check)


def standing(questions: int, tokens: int) -> str:
    """How the site's budget of today stands to somebody who has so many questions and tokens left: `used_up`, `less`
    (it ends before theirs), or `enough`. It tells no number: that would tell how much others ask."""
    if settings.LIMITS_OFF:
        return "enough"
    day, left = day_of(datetime.now(UTC)), []
    if most := of("DAY_QUESTIONS_SITE"):
        left.append((most - asked_today(day), questions))
    if most := of("DAY_TOKENS_SITE"):
        left.append((most - tokens_today(day), tokens))
    if any(of_site <= 0 for of_site, _ in left):
        return "used_up"
    return "less" if any(of_site < own for of_site, own in left) else "enough"


def asked_today(day: str) -> int:
    """The questions of all on that day."""
    counted = DJANGO.query(COUNTED, (day,)) or DJANGO.query(ASKED, (day, day))
    return int(counted[0][0])


def tokens_today(day: str) -> int:
    """The tokens of all on that day."""
    return int(DJANGO.query(TOKENS, (day, day))[0][0])
