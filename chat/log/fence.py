"""What refuses a writer: the statements that append events and end streams, conditional on the writer's lease.

A turn holds its stream under an epoch, a number that grows whenever the stream changes hands or ends. Events go in only
for streams that are running under the epoch that their writer names, and the same statement that would have written
tells how many rows it wrote. A worker that was frozen or cut off from the database may believe what it likes.

An end is stored only where the log has no hole: the events before it are counted in its transaction.
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
"""(`key_of` the stream, seq, at, data, epoch): an event on its way into the table, as the statement takes it."""

ROWS_PER_INSERT = 500
"""Five parameters a row; SQLite takes 32,766 parameters a statement."""

FIRST_EPOCH = 1


class LeaseLost(Exception):
    """The stream is not running under this writer's epoch any more: it was ended, taken over or deleted."""


class HoleInLog(Exception):
    """Events before this end are missing, so it cannot be stored."""


@dataclass(slots=True)
class Ending:
    """How a stream ended, stored in the same transaction as its last event. `read`: somebody followed it to there."""

    status: str
    parts: list[dict[str, Any]]
    ended_at: datetime
    error: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    first_token_us: int | None = None
    read: bool = False


def insert_events(execute: Execute, rows: Sequence[Row]) -> None:
    """One statement for up to `ROWS_PER_INSERT` rows. LeaseLost where it stored fewer than it was given."""
    for start in range(0, len(rows), ROWS_PER_INSERT):
        some = rows[start : start + ROWS_PER_INSERT]
        flat: list[Any] = []
        for row in some:
            flat += row
        stored = execute(_insert_of(len(some)), flat)
        if stored != len(some):
            raise LeaseLost(f"{len(some) - stored} of {len(some)} events belong to streams that others hold")


# On PostgreSQL the row lock closes the gap between the statement's snapshot and its commit: whoever takes a stream over
# locks its row first (`lock_stream`), waits for the writers that hold this lock, and makes later ones look again.
# On SQLite there is one writer at a time, and CROSS JOIN keeps the rows in their order.
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
"""The same for PostgreSQL with a column an array: one statement for any number of rows, so that it is prepared once."""


END_OF_STREAM = """
UPDATE chat_stream SET status = %s, error = %s, usage = %s, ended_at = %s, last_seq = %s, first_token_us = %s,
lease_until = NULL, epoch = epoch + 1 WHERE id = %s AND status = 'running' AND epoch = %s
"""

EVENTS_STORED = "SELECT COUNT(*) FROM chat_event WHERE stream_id = %s"

WITHOUT_A_HOLE = f"{END_OF_STREAM} AND ({EVENTS_STORED}) = %s"

END_OF_ANSWER = "UPDATE chat_message SET parts = %s WHERE id = (SELECT answer_id FROM chat_stream WHERE id = %s)"


class Demand(NamedTuple):
    """A statement of an end; `refusal`, where there is one, is why nothing may be committed if it changes no row."""

    statement: str
    parameters: Sequence[Any]
    refusal: Exception | None = None


def update_endings(execute: Execute, endings: Sequence[tuple[Row, Ending]]) -> None:
    """Mark streams as ended, each with its last event, and tell the feeds of their users.

    LeaseLost where a stream is not this writer's any more, HoleInLog where an event before the end is missing.
    """
    for statement, parameters, refusal in demands_of(endings):
        if not execute(statement, parameters) and refusal is not None:
            raise refusal


def demands_of(endings: Sequence[tuple[Row, Ending]]) -> list[Demand]:
    """What `update_endings` does, in its order: for whoever sends it all before the first answer comes."""
    demands: list[Demand] = []
    if not endings:
        return demands
    for row, ending in endings:
        demands += _demands_of(row, ending)
    ended = [ChangeRow(row[0], ENDED, _told_of(row, ending)) for row, ending in endings]
    tell_of_streams(_noting(demands), endings[0][1].ended_at, ended)
    return demands


def _told_of(row: Row, ending: Ending) -> dict[str, Any]:
    told = {"stream": id_of(row[0]), "status": ending.status}
    return {**told, "read": True} if ending.read else told


def _demands_of(row: Row, ending: Ending) -> list[Demand]:
    """Mark the stream as ended with its last event `row`, stored before, and give its answer its text.

    An interrupted stream ends at whatever is stored.
    """
    key, seq, _, _, epoch = row
    said = [ending.status, document(ending.error), document(ending.usage), moment(ending.ended_at)]
    parameters = [*said, seq, ending.first_token_us, key, epoch]
    if ending.status == events.INTERRUPTED:
        end = Demand(END_OF_STREAM, parameters, LeaseLost(f"stream {key} is not held under epoch {epoch}"))
    else:
        hole = HoleInLog(f"stream {key} has not all events before {seq}")
        end = Demand(WITHOUT_A_HOLE, [*parameters, key, seq + 1], hole)
    demands = [end, Demand(END_OF_ANSWER, [document(ending.parts), key])]
    execute = _noting(demands)
    count_tokens(execute, key, ending.usage, ending.parts)
    count_spending(execute, key, ending.ended_at.date().isoformat(), ending.usage, ending.parts)
    return demands


def _noting(demands: list[Demand]) -> Execute:
    """Notes statements that may change as many rows as they like, in place of running them."""

    def note(statement: str, parameters: Sequence[Any]) -> int:
        demands.append(Demand(statement, parameters))
        return 0

    return note
