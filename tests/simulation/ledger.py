"""What must hold whenever anything was committed: the invariants of the log, checked on a connection of their own.

an event, once stored, never changes and never goes           no event is missing, doubled, or before its time
nothing follows an end                                         a complete answer is the model's, whole
any other is a beginning of it                                 the stream's row says what its last event says
under one epoch there is one writer                            epochs only grow
what is shown is stored, byte for byte
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chat.protocol import events
from chat.protocol.events import Event
from tests.simulation.model import answer_to

CHANGED = """
SELECT s.id, s.status, s.epoch, s.last_seq, s.conversation_id, s.request_id, s.answer_id, q.parts
FROM chat_stream s JOIN chat_message a ON a.id = s.answer_id JOIN chat_message q ON q.id = a.parent_id
WHERE s.status = 'running' OR s.rowid > ?
"""
ONE = CHANGED.split("WHERE")[0] + "WHERE s.id = ?"
NEW_EVENTS = 'SELECT rowid, stream_id, seq, "at", data FROM chat_event WHERE rowid > ? ORDER BY rowid'


@dataclass
class Known:
    """A stream as far as it was seen."""

    id: str
    question: str
    conversation: str
    request_id: str | None
    answer: str
    status: str = events.RUNNING
    epoch: int = 1
    events: list[Event] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    writers: dict[int, str] = field(default_factory=dict)


class Ledger:
    """What was committed so far. `violated` is called with what must not be; `at_work` names who has just done
    something; `on_change` is told of every stream that began or ended."""

    def __init__(
        self,
        path: Path,
        violated: Callable[[str], None],
        at_work: Callable[[], str],
        on_change: Callable[[Known], None],
        clock: Callable[[], float],
    ) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._violated = violated
        self._at_work = at_work
        self._clock = clock
        self._on_change = on_change
        self._version = -1
        self._row = self._stream_row = 0
        self.streams: dict[str, Known] = {}
        self.running: set[str] = set()
        self.stored = 0

    def query(self, statement: str, *parameters: Any) -> list[Any]:
        """Rows, as they are committed now."""
        return self._connection.execute(statement, parameters).fetchall()

    def look(self) -> None:
        """Take in what was committed since the last look."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return
        self._version = version
        self._connection.execute("BEGIN")
        rows = {row[0]: row for row in self.query(CHANGED, self._stream_row)}
        for gone in sorted(self.running - rows.keys()):
            found = self.query(ONE, gone)
            if not found:
                self._violated(f"stream {gone} is gone")
            rows[gone] = found[0]
        self._stream_row = self.query("SELECT COALESCE(MAX(rowid), 0) FROM chat_stream")[0][0]
        new = self.query(NEW_EVENTS, self._row)
        self._connection.execute("COMMIT")
        began = [self._meet(row) for row in rows.values() if row[0] not in self.streams]
        for rowid, stream, seq, at, data in new:
            self._row = rowid
            self._take(stream, Event(seq, at, data), rows.get(stream))
        for row in rows.values():
            self._compare(self.streams[row[0]], row)
        for known in began:
            self._on_change(known)

    def _meet(self, row: Any) -> Known:
        id, _, epoch, _, conversation, request_id, answer, question = row
        known = Known(id, json.loads(question)[0]["text"], conversation, request_id, answer, epoch=epoch)
        self.streams[id] = known
        self.running.add(id)
        if epoch != 1:
            self._violated(f"stream {id} begins with epoch {epoch}")
        return known

    def _take(self, stream: str, event: Event, row: Any) -> None:
        known = self.streams.get(stream)
        if known is None:
            return self._violated(f"event {event.seq} of stream {stream}, which there is not")
        if known.status != events.RUNNING:
            return self._violated(f"event {event.seq} of stream {stream} behind its end ({known.status})")
        if event.seq != len(known.events):
            return self._violated(f"event {event.seq} of stream {stream} comes after {len(known.events) - 1}")
        if known.events and event.at < known.events[-1].at:
            return self._violated(f"event {event.seq} of stream {stream} is earlier than the one before it")
        known.events.append(event)
        known.times.append(self._clock())
        self.stored += 1
        if not any(f'"end":"{end}"' in event.data for end in (events.INTERRUPTED, events.STOPPED)):  # anybody's
            epoch = row[2] - (row[1] != events.RUNNING)
            writer = known.writers.setdefault(epoch, self._at_work())
            if writer != self._at_work():
                self._violated(f"stream {stream} is written by {writer} and {self._at_work()} under epoch {epoch}")

    def _compare(self, known: Known, row: Any) -> None:
        id, status, epoch, last_seq = row[:4]
        if epoch < known.epoch:
            self._violated(f"the epoch of stream {id} goes back from {known.epoch} to {epoch}")
        known.epoch = epoch
        if status == known.status:
            return
        if known.status != events.RUNNING:
            self._violated(f"stream {id} has ended as {known.status}, and then as {status}")
        known.status = status
        self.running.discard(id)
        self._check_end(known, last_seq)
        self._on_change(known)

    def _check_end(self, known: Known, last_seq: int) -> None:
        last = known.events[-1]
        response = events.decode(last.data)
        ended = (response.get("wondercam") or {}).get("end") or (
            events.COMPLETE if events.finish_reason(response) else events.RUNNING
        )
        if (ended, last.seq) != (known.status, last_seq):
            self._violated(f"stream {known.id} is {known.status} at {last_seq}; its last event, {last.seq}: {ended}")
        text, whole = events.answer_text(known.events), answer_to(known.question)
        if (text != whole) if known.status == events.COMPLETE else not whole.startswith(text):
            self._violated(
                f"the text of stream {known.id} ({known.status}) is not the model's, at {_differ(text, whole)}"
            )
        (parts,) = self.query("SELECT parts FROM chat_message WHERE id = ?", known.answer)[0]
        said = "".join(part.get("text", "") for part in json.loads(parts))
        if said != text:
            self._violated(
                f"the message of stream {known.id} is not what its events add up to, at {_differ(said, text)}"
            )

    def check_all(self) -> None:
        """Everything that is stored is what was seen when it was stored."""
        for known in self.streams.values():
            rows = self.query('SELECT seq, "at", data FROM chat_event WHERE stream_id = ? ORDER BY seq', known.id)
            if [Event(*row) for row in rows] != known.events:
                self._violated(f"stream {known.id} is not stored any more as it was")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _differ(one: str, other: str) -> str:
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"{at}: {one[max(0, at - 20) : at + 20]!r}, {other[max(0, at - 20) : at + 20]!r}"
