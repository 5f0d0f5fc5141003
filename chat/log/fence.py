"""Fencing: the statements that append events and end streams, conditional on the writer's epoch.

A turn writes its stream under an epoch, a number that grows whenever another worker takes the stream over and when the
stream ends. Events are inserted only for streams that are running under the epoch that their writer names, and the
number of rows that the statement inserted tells whether they were. So a worker that was frozen or cut off from the
database cannot write to a stream that it no longer holds.

An end is stored only if the log has no hole: its transaction counts the events before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from chat.log.changes import ENDED, ChangeRow, id_of, tell_of_streams
from chat.log.sql import DIALECT, Execute, document, moment
from chat.log.usage import count_spending, count_tokens
from chat.protocol import events

Row = tuple[Any, int, int, str, int]
"""(`key_of` the stream, seq, at, data, epoch): an event to insert, as the statement takes it."""

ROWS_PER_INSERT = 500
"""Each row has five parameters; SQLite takes 32,766 parameters in a statement."""

FIRST_EPOCH = 1


class LeaseLost(Exception):
    """The stream is no longer running under this writer's epoch: it was ended, taken over or deleted."""


class HoleInLog(Exception):
    """Events before the end of a stream are missing, so the end cannot be stored."""


@dataclass(slots=True)
class Ending:
    """How a stream of user `user_id` ended, stored in the transaction of its last event. `read`: whether it had a
    reader at its end."""

    user_id: int
    status: str
    parts: list[dict[str, Any]]
    ended_at: datetime
    error: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    first_token_us: int | None = None
    read: bool = False


def insert_events(execute: Execute, rows: Sequence[Row]) -> None:
    """Insert events, `ROWS_PER_INSERT` in a statement. LeaseLost if a statement inserted fewer than it was given."""
    for start in range(0, len(rows), ROWS_PER_INSERT):
        some = rows[start : start + ROWS_PER_INSERT]
        flat: list[Any] = []
        for row in some:
            flat += row
        stored = execute(_insert_of(len(some)), flat)
        if stored != len(some):
            raise LeaseLost(f"{len(some) - stored} of {len(some)} events belong to streams that others hold")


# On PostgreSQL the row lock closes the gap between the statement's snapshot and its commit: a takeover locks the row
# with SELECT … FOR UPDATE first, so it waits for the writers that hold this lock, and later ones see the new epoch.
# On SQLite there is one writer at a time, and CROSS JOIN keeps the rows in order.
_JOINS = {
    "sqlite": (
        "(%s,%s,%s,%s,%s)",
        "SELECT n.column1, n.column2, n.column3, n.column4 FROM (VALUES {values}) n CROSS JOIN chat_stream s "
        "ON s.id = n.column1 AND s.epoch = n.column5 AND s.status = 'running'",
    ),
    "postgresql": (
        "(%s::uuid,%s::integer,%s::bigint,%s::text,%s::integer)",
        "SELECT n.column1, n.column2, n.column3, n.column4 FROM (VALUES {values}) n JOIN chat_stream s "
        "ON s.id = n.column1 AND s.epoch = n.column5 AND s.status = 'running' FOR KEY SHARE OF s",
    ),
}


@cache
def _insert_of(count: int) -> str:
    one, select = _JOINS[DIALECT.vendor]
    values = select.format(values=",".join([one] * count))
    return f'INSERT INTO chat_event (stream_id, seq, "at", data) {values}'


INSERT_ARRAYS = """
INSERT INTO chat_event (stream_id, seq, "at", data)
SELECT n.stream_id, n.seq, n.moment, n.data
FROM unnest(%s::uuid[], %s::integer[], %s::bigint[], %s::text[], %s::integer[]) n (stream_id, seq, moment, data, epoch)
JOIN chat_stream s ON s.id = n.stream_id AND s.epoch = n.epoch AND s.status = 'running' FOR KEY SHARE OF s
"""
"""The same for PostgreSQL with one array per column: one statement for any number of rows, so it is prepared once."""


END_OF_STREAM = """
UPDATE chat_stream SET status = %s, error = %s, usage = %s, ended_at = %s, last_seq = %s, first_token_us = %s,
lease_until = NULL, epoch = epoch + 1 WHERE id = %s AND status = 'running' AND epoch = %s
"""

EVENTS_STORED = "SELECT COUNT(*) FROM chat_event WHERE stream_id = %s"

WITHOUT_A_HOLE = f"{END_OF_STREAM} AND ({EVENTS_STORED}) = %s"

END_OF_ANSWER = "UPDATE chat_message SET parts = %s WHERE id = (SELECT answer_id FROM chat_stream WHERE id = %s)"


class Demand(NamedTuple):
    """One statement of the end of a stream. If it changes no row and has a `refusal`, the transaction must be rolled
    back for that reason."""

    statement: str
    parameters: Sequence[Any]
    refusal: Exception | None = None


def update_endings(execute: Execute, endings: Sequence[tuple[Row, Ending]]) -> None:
    """Mark streams as ended, each with its last event, and add the ends to the feeds of their users.

    LeaseLost if a stream is no longer held under its writer's epoch, HoleInLog if an event before the end is missing.
    """
    for statement, parameters, refusal in demands_of(endings):
        if not execute(statement, parameters) and refusal is not None:
            raise refusal


def demands_of(endings: Sequence[tuple[Row, Ending]]) -> list[Demand]:
    """The statements of `update_endings`, in order: PostgreSQL gets all of them before the first one is answered.

    First come the streams, which no other worker changes; then, user by user, what all workers change (their tokens of
    the day, their feed). A start takes the same order (`postgres_jobs.py`), so that transactions wait for each other,
    but are in no deadlock.
    """
    demands = [demand for row, ending in endings for demand in _demands_of(row, ending)]
    execute = _noting(demands)
    for row, ending in sorted(endings, key=_user_of):
        count_tokens(execute, row[0], ending.usage, ending.parts)
        count_spending(execute, row[0], ending.ended_at.date().isoformat(), ending.usage, ending.parts)
        line = ChangeRow(row[0], ENDED, _told_of(row, ending))
        tell_of_streams(execute, moment(ending.ended_at), [line])
    return demands


def _user_of(end: tuple[Row, Ending]) -> int:
    return end[1].user_id


def _told_of(row: Row, ending: Ending) -> dict[str, Any]:
    told = {"stream": id_of(row[0]), "status": ending.status}
    return {**told, "read": True} if ending.read else told


def _demands_of(row: Row, ending: Ending) -> tuple[Demand, Demand]:
    """The statements that end one stream after its last event `row`, and store the parts of its answer.

    An interrupted stream may end after any stored event; for other ends the events are counted.
    """
    key, seq, _, _, epoch = row
    said = [ending.status, document(ending.error), document(ending.usage), moment(ending.ended_at)]
    parameters = [*said, seq, ending.first_token_us, key, epoch]
    if ending.status == events.INTERRUPTED:
        end = Demand(END_OF_STREAM, parameters, LeaseLost(f"stream {key} is not held under epoch {epoch}"))
    else:
        hole = HoleInLog(f"stream {key} has not all events before {seq}")
        end = Demand(WITHOUT_A_HOLE, [*parameters, key, seq + 1], hole)
    return end, Demand(END_OF_ANSWER, [document(ending.parts), key])


def _noting(demands: list[Demand]) -> Execute:
    """An `Execute` that appends statements to `demands` instead of running them; they may change any number of rows."""

    def note(statement: str, parameters: Sequence[Any]) -> int:
        demands.append(Demand(statement, parameters))
        return 0

    return note
