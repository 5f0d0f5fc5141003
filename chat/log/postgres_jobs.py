"""Jobs that the event loop commits on PostgreSQL: all their statements are sent before the first one is answered.

A job runs at once on a `Database` that only records statements (`Noted`). It gets no results: what depends on one is a
check (`Database.verify`), which runs before the commit, when the results are there. Jobs that arrive during one
transaction are the next one, in the order of their users: every transaction locks what is a user's in that order, so
that two of them are in no deadlock. If the check of a job raises, the job fails, and the others are sent again without
it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from psycopg.pq.abc import PGresult

from chat.log.commit_thread import JOBS_AT_ONCE
from chat.log.postgres_pipeline import Link, Pipeline, Step
from chat.log.sql import NotOnTheLoop

T = TypeVar("T")

Check = Callable[[Pipeline, PGresult], None]


class Noted:
    """A `Database` that records statements. Each must change a row, or the commit thread has to run the job."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.steps: list[Step] = []
        self.checks: list[Check] = []

    def execute(self, statement: str, parameters: Sequence[Any]) -> int:
        """Record a statement; returns 1, which is checked before the commit."""
        self._note(statement, parameters, _has_changed_one)
        return 1

    def query(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """Raises NotOnTheLoop: there is no result yet."""
        raise NotOnTheLoop

    def verify(self, statement: str, parameters: Sequence[Any], check: Callable[[list[Any]], None]) -> None:
        """Record a statement whose rows are checked before the commit."""
        self._note(statement, parameters, lambda pipeline, result: check(pipeline.rows(result)))

    def _note(self, statement: str, parameters: Sequence[Any], check: Check) -> None:
        self.steps.append(Step(statement, self._pipeline.dump(parameters)))
        self.checks.append(check)


def _has_changed_one(_: Pipeline, result: PGresult) -> None:
    if not result.command_tuples:
        raise NotOnTheLoop


class NotedJob:
    """A job's recorded statements, the user whose rows it changes, its result, and its future, which gives None if the
    thread has to run the job."""

    __slots__ = ("future", "noted", "result", "user_id")

    def __init__(self, noted: Noted, user_id: int, result: Any) -> None:
        self.noted = noted
        self.user_id = user_id
        self.result = result
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def refuse(self, error: Exception | None) -> None:
        """Resolve the future of a job that is not stored: with `error`, or with None for the thread to run it."""
        if self.future.done():
            return
        if error is None or isinstance(error, NotOnTheLoop):
            self.future.set_result(None)
        else:
            self.future.set_exception(error)

    def accept(self) -> None:
        """Resolve the future of a job that is stored."""
        if not self.future.done():
            self.future.set_result(self.result)


class JobCommit:
    """Commits jobs on a connection of its own, up to `JOBS_AT_ONCE` in a transaction, one transaction at a time."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[NotedJob] = deque()
        self._is_under_way = False

    async def run(self, function: Callable[[Any], T], user_id: int) -> T | None:
        """The result of `function`, which changes rows of that user, once it is committed; None if the commit thread
        has to run it. Raises what `function` or a check raises."""
        if self._link.pipeline is None:
            return None
        noted = Noted(self._link.pipeline)
        try:
            job = NotedJob(noted, user_id, function(noted))
        except NotOnTheLoop:
            return None
        self._waiting.append(job)
        if not self._is_under_way:
            self._is_under_way = True
            asyncio.get_running_loop().call_soon(self._send)
        result: T | None = await job.future
        return result

    def _send(self) -> None:
        pipeline, waiting = self._link.pipeline, self._waiting
        taken = [waiting.popleft() for _ in range(min(len(waiting), JOBS_AT_ONCE))]
        batch = sorted(taken, key=attrgetter("user_id"))
        self._is_under_way = bool(batch)
        if pipeline is None or not batch:
            self._is_under_way = False
            self._waiting = deque()
            return _refuse([*batch, *waiting])
        steps = [step for job in batch for step in job.noted.steps]
        pipeline.send([Step("BEGIN"), *steps], lambda results, error: self._verify(pipeline, batch, results, error))

    def _verify(
        self, pipeline: Pipeline, batch: list[NotedJob], results: list[PGresult], error: Exception | None
    ) -> None:
        """Commit if all checks pass; otherwise roll back, and send the jobs whose checks passed again."""
        fine = batch if error is None else []
        if error is None:
            answers = iter(results[1:])
            fine = [job for job in batch if _agrees(pipeline, job, answers)]
        else:
            _refuse(batch)
        if fine == batch:
            pipeline.send([Step("COMMIT")], lambda _, failed: self._committed(batch, failed))
        else:
            self._waiting.extendleft(reversed(fine))
            pipeline.send([Step("ROLLBACK")], lambda *_: self._send())

    def _committed(self, batch: Sequence[NotedJob], error: Exception | None) -> None:
        for job in batch:
            if error is None:
                job.accept()
            else:
                job.refuse(None)
        self._send()


def _agrees(pipeline: Pipeline, job: NotedJob, answers: Any) -> bool:
    """Whether all checks of a job pass; the first error refuses it. Consumes one of `answers` for each statement."""
    failed: Exception | None = None
    for check in job.noted.checks:
        answer = next(answers)
        try:
            if failed is None:
                check(pipeline, answer)
        except Exception as error:  # raised to whoever waits for the job
            failed = error
            job.refuse(error)
    return failed is None


def _refuse(jobs: Sequence[NotedJob]) -> None:
    for job in jobs:
        job.refuse(None)
