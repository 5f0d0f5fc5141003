"""Commits on the event loop, where the database is PostgreSQL: sent by the loop, which goes on until the answer comes.

What was gathered while one commit was under way is the next one. Events alone are one statement and one message to the
database and back; where streams end with them it is a transaction of two. Whatever the database refuses is left to the
commit thread, which takes a batch apart, and so is all of it while there is no connection.

The starts of plain turns (`postgres_jobs.py`) and the short reads that every request makes have connections of their
own, since they would wait for each other.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct, pack
from typing import Any

from psycopg import OperationalError
from psycopg.pq.abc import PGresult

from chat.log.fence import INSERT_ARRAYS, Demand, Ending, LeaseLost, Row, demands_of
from chat.log.postgres_jobs import JobCommit
from chat.log.postgres_pipeline import BINARY, Link, Pipeline, Step
from chat.log.sql import Database

PLANS = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
"""The few rows of a commit look up their streams by key. A plan made while the tables were small would read them whole,
and is kept for the statement as long as nothing tells the planner otherwise."""

CLOSE_SECONDS = 5.0
"""For which a commit that is under way is waited for when the process closes."""

Done = Callable[[Exception | None], None]

_UUID, _INT4, _INT8, _TEXT = 2950, 23, 20, 25
"""Their numbers in PostgreSQL's catalogue, which never change (pg_type.dat)."""

_uuid, _int4, _int8 = Struct("!i16s").pack, Struct("!ii").pack, Struct("!iq").pack

# An array of one dimension without NULLs, its elements of this type, so many of them, the first of which is number 1:
# `array_recv` in PostgreSQL's src/backend/utils/adt/arrayfuncs.c.
_STARTS = [pack("!3i", 1, 0, kind) for kind in (_UUID, _INT4, _INT8, _TEXT, _INT4)]
_FROM_ONE = pack("!i", 1)
_ALL_BINARY = (BINARY,) * len(_STARTS)


class PostgresCommit:
    """The event loop's connections: one commits events, one jobs, one reads."""

    one_writer = False

    def __init__(self) -> None:
        self._writing = Link(PLANS)
        self._reading = Link()
        self._jobs = Link(PLANS)
        self.jobs = JobCommit(self._jobs)

    @property
    def is_ready(self) -> bool:
        """Whether there is a connection to commit on."""
        return self._writing.pipeline is not None

    def run(self, _: Callable[[Database], Any]) -> None:
        """Nothing can be committed before this returns."""

    def commit(self, rows: Sequence[Row], endings: Sequence[tuple[Row, Ending]], done: Done) -> None:
        """Store events and the ends of streams in one transaction; `done` gets what it was refused for.

        Where events alone are stored for some streams and refused for others, the thread finds them stored when it
        does it again (`group_commit._unstored`).
        """
        pipeline = self._writing.pipeline
        if pipeline is None:
            return done(OperationalError("there is no connection"))
        if not rows:
            return done(None)
        try:
            insertion, demands = _insert(rows), demands_of(endings) if endings else []
            steps = [Step(demand.statement, pipeline.dump(demand.parameters)) for demand in demands]
        except Exception as error:  # a fault of ours: the thread finds out whose
            return done(error)
        if not demands:
            return pipeline.send([insertion], partial(_stored, len(rows), done))
        pipeline.send([Step("BEGIN"), insertion, *steps], partial(_finish, pipeline, len(rows), demands, done))

    async def query(self, statement: str, parameters: Sequence[Any]) -> list[Any] | None:
        """The rows of one short SELECT; None where there is no connection, or where it is refused."""
        pipeline = self._reading.pipeline
        if pipeline is None:
            return None
        found: asyncio.Future[list[PGresult]] = asyncio.get_running_loop().create_future()

        def answer(results: list[PGresult], error: Exception | None) -> None:
            if not found.done():
                found.set_result([] if error else results)

        pipeline.send([Step(statement, pipeline.dump(parameters))], answer)
        results = await found
        return pipeline.rows(results[0]) if results else None

    async def close(self) -> None:
        """Wait for what is under way, then close the connections."""
        links = ((self._writing, CLOSE_SECONDS), (self._jobs, CLOSE_SECONDS), (self._reading, 0.0))
        await asyncio.gather(*(link.close(seconds) for link, seconds in links))


def _stored(most: int, done: Done, results: list[PGresult], error: Exception | None) -> None:
    if error is None and results[0].command_tuples == most:
        return done(None)
    done(error or refusal_of(most, (), results))


def _finish(
    pipeline: Pipeline,
    most: int,
    demands: Sequence[Demand],
    done: Done,
    results: list[PGresult],
    error: Exception | None,
) -> None:
    """Commit where all that had to be changed was; else undo it."""
    error = error or refusal_of(most, demands, results[1:])
    pipeline.send([Step("COMMIT" if error is None else "ROLLBACK")], lambda _, failed: done(error or failed))


def refusal_of(most: int, demands: Sequence[Demand], results: Sequence[PGresult]) -> Exception | None:
    """Why a transaction must not be committed, by what its statements changed."""
    changed = [result.command_tuples for result in results]
    if changed[0] != most:
        return LeaseLost(f"{most - (changed[0] or 0)} of {most} events belong to streams that others hold")
    met = zip(demands, changed[1:], strict=True)
    return next((demand.refusal for demand, rows in met if demand.refusal is not None and not rows), None)


def _insert(rows: Sequence[Row]) -> Step:
    """The insertion of events, whose columns go as arrays in PostgreSQL's own binary form."""
    size = len(rows).to_bytes(4, "big")
    keys, seqs, moments, texts, epochs = (bytearray(start + size + _FROM_ONE) for start in _STARTS)
    for key, seq, at, data, epoch in rows:  # one loop: a comprehension a column is a call a column
        keys += _uuid(16, key.int.to_bytes(16, "big"))
        seqs += _int4(4, seq)
        moments += _int8(8, at)
        text = data.encode()
        texts += len(text).to_bytes(4, "big")
        texts += text
        epochs += _int4(4, epoch)
    return Step(INSERT_ARRAYS, (keys, seqs, moments, texts, epochs), _ALL_BINARY)
