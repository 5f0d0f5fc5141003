"""How a transaction on PostgreSQL locks what several workers change: in the order of users, to be in no deadlock.

What the locks do is tried on PostgreSQL itself, in tests/servers/test_log_on_postgresql.py.
"""

import asyncio
from functools import partial
from typing import Any
from uuid import uuid4

from chat.log.fence import END_OF_ANSWER, WITHOUT_A_HOLE, Row, demands_of
from chat.log.postgres_jobs import JobCommit
from chat.log.postgres_pipeline import Link, Step
from chat.log.usage import COUNT_SPENDING, COUNT_TOKENS
from tests.inside import an_end


def last_event() -> Row:
    return (uuid4(), 1, 0, "{}", 1)


def test_streams_are_ended_first_and_then_counted_user_by_user() -> None:
    rows = [last_event() for _ in range(3)]
    demands = demands_of([(row, an_end(user_id=user)) for row, user in zip(rows, (2, 1, 2), strict=True)])
    found = [demand.statement for demand in demands]
    assert found[:6] == [WITHOUT_A_HOLE, END_OF_ANSWER] * 3
    assert [found[6::3], found[7::3]] == [[COUNT_TOKENS] * 3, [COUNT_SPENDING] * 3]
    assert all("INTO chat_change" in statement for statement in found[8::3])
    by_user = [rows[1][0], rows[0][0], rows[2][0]]
    assert [demand.parameters[-1] for demand in demands[6::3]] == by_user
    assert [demand.parameters[-1] for demand in demands[7::3]] == by_user
    assert [demand.parameters[1] for demand in demands[8::3]] == by_user


class SentSteps:
    """A `Pipeline` that is never answered; `sent` are the steps of each transaction."""

    def __init__(self) -> None:
        self.sent: list[list[Step]] = []

    def dump(self, parameters: Any) -> list[bytes]:
        return [b"%d" % parameter for parameter in parameters]

    def send(self, steps: Any, answer: Any) -> None:
        self.sent.append(steps)


def store(user: int, database: Any) -> int:
    return int(database.execute("INSERT %s", (user,)))


async def test_starts_of_one_transaction_are_stored_user_by_user() -> None:
    link, pipeline = Link(), SentSteps()
    link.pipeline = pipeline  # type: ignore[assignment]
    jobs = JobCommit(link)
    waiting = [asyncio.ensure_future(jobs.run(partial(store, user), user)) for user in (3, 1, 2, 1)]
    while not pipeline.sent:
        await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    [[begin, *steps]] = pipeline.sent
    assert begin == Step("BEGIN")
    assert [step.values[0] for step in steps] == [b"1", b"1", b"2", b"3"]
