"""Commits on the event loop, for PostgreSQL: the loop sends the statements and goes on until the answer arrives.

What is gathered during one commit is the next one. A batch of events only is one statement and one round trip; with
ends of streams it is a transaction of two round trips. Whatever the database refuses is left to the commit thread,
which splits the batch, and so is everything while there is no connection.

Starts of plain turns (`postgres_jobs.py`) and the short reads of every request have connections of their own, so that
they do not wait for commits or for each other.
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

PLANS = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET plan_cache_mode = force_generic_plan"
)
"""Forces look-ups by key, and one plan for each prepared statement. A plan that was made while the tables were small
would scan them completely later. Without the last setting PostgreSQL plans the end of a stream anew each time, since
the events are partitioned: 75 µs."""

CLOSE_SECONDS = 5.0
"""How long the process waits for a commit under way when it closes."""

Done = Callable[[Exception | None], None]

_UUID, _INT4, _INT8, _TEXT = 2950, 23, 20, 25
"""The types' OIDs, which never change (PostgreSQL's src/include/catalog/pg_type.dat)."""

_uuid, _int4, _int8 = Struct("!i16s").pack, Struct("!ii").pack, Struct("!iq").pack

# The head of a binary array: one dimension, no NULLs, the type of its elements, their number, and 1 as the index of the
# first (`array_recv` in PostgreSQL's src/backend/utils/adt/arrayfuncs.c).
_STARTS = [pack("!3i", 1, 0, kind) for kind in (_UUID, _INT4, _INT8, _TEXT, _INT4)]
_FROM_ONE = pack("!i", 1)
_ALL_BINARY = (BINARY,) * len(_STARTS)


class PostgresCommit:
    """The event loop's three connections: one commits events, one commits jobs, one reads."""

    one_writer = False

    def __init__(self) -> None:
        self._writing = Link(PLANS)
        self._reading = Link()
        self._jobs = Link(PLANS)
        self.jobs = JobCommit(self._jobs)

    @property
    def is_ready(self) -> bool:
        """Whether the connection for events is open."""
        return self._writing.pipeline is not None

    def run(self, _: Callable[[Database], Any]) -> None:
        """None: nothing can be committed before this returns (see `jobs`)."""

    def commit(self, rows: Sequence[Row], endings: Sequence[tuple[Row, Ending]], done: Done) -> None:
        """Store events and ends of streams in one transaction; `done` gets the error or None.

        If a batch of events only is inserted for some streams and refused for others, the thread finds the inserted
        ones when it repeats the batch (`group_commit._unstored`).
        """
        pipeline = self._writing.pipeline
        if pipeline is None:
            return done(OperationalError("there is no connection"))
        if not rows:
            return done(None)
        try:
            insertion, demands = _insert(rows), demands_of(endings) if endings else []
            steps = [Step(demand.statement, pipeline.dump(demand.parameters)) for demand in demands]
        except Exception as error:  # a bug: the thread finds out which stream it concerns
            return done(error)
        if not demands:
            return pipeline.send([insertion], partial(_stored, len(rows), done))
        pipeline.send([Step("BEGIN"), insertion, *steps], partial(_finish, pipeline, len(rows), demands, done))

    async def query(self, statement: str, parameters: Sequence[Any]) -> list[Any] | None:
        """The rows of one short SELECT; None if there is no connection or the statement fails."""
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
        """Wait for commits under way, then close the connections."""
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
    """Send COMMIT if every statement changed the rows that it had to, else ROLLBACK."""
    error = error or refusal_of(most, demands, results[1:])
    pipeline.send([Step("COMMIT" if error is None else "ROLLBACK")], lambda _, failed: done(error or failed))


def refusal_of(most: int, demands: Sequence[Demand], results: Sequence[PGresult]) -> Exception | None:
    """Why a transaction must not be committed, by the numbers of rows that its statements changed; None if it may."""
    changed = [result.command_tuples for result in results]
    if changed[0] != most:
        return LeaseLost(f"{most - (changed[0] or 0)} of {most} events belong to streams that others hold")
    met = zip(demands, changed[1:], strict=True)
    return next((demand.refusal for demand, rows in met if demand.refusal is not None and not rows), None)


def _insert(rows: Sequence[Row]) -> Step:
    """The INSERT of events, with each column as an array in PostgreSQL's binary format."""
    size = len(rows).to_bytes(4, "big")
    keys, seqs, moments, texts, epochs = (bytearray(start + size + _FROM_ONE) for start in _STARTS)
    for key, seq, at, data, epoch in rows:  # one loop: a comprehension for each column would be one more call each
        keys += _uuid(16, key.int.to_bytes(16, "big"))
        seqs += _int4(4, seq)
        moments += _int8(8, at)
        text = data.encode()
        texts += len(text).to_bytes(4, "big")
        texts += text
        epochs += _int4(4, epoch)
    return Step(INSERT_ARRAYS, (keys, seqs, moments, texts, epochs), _ALL_BINARY)
