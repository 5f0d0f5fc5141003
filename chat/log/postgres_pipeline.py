"""The event loop's own connection to PostgreSQL, which sends statements without waiting for earlier answers.

    link.pipeline.send(steps, answer)     one network message; `answer` is called on the loop with all results

The loop itself drives libpq's pipeline mode (https://www.postgresql.org/docs/current/libpq-pipeline-mode.html): one
call when the socket is readable, where psycopg's cursors take some forty calls and change the loop's watchers twice.
Statements are prepared at their first use. A `Link` reconnects after a connection was lost; meanwhile it has no
pipeline, and the commit thread takes over the work.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection, DataError, Error, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

from chat.log.sql import DIALECT

log = logging.getLogger(__name__)

RETRY_AFTER = 0.5
"""Seconds between attempts to connect."""

NAMED = {"application_name": "WonderCam, the event loop"}
"""The name in `pg_stat_activity`, unless DATABASE_URL sets another."""

BINARY = 1

Answer = Callable[[list[PGresult], Exception | None], None]
"""Gets one result for each statement, or the error: the database's, or OperationalError if the connection was lost."""


def of_text(value: str) -> bytes:
    """A text. DataError if it has a NUL, at which libpq would end it."""
    if "\0" in value:
        raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return value.encode()


AS_TEXT: dict[type, Callable[[Any], bytes]] = {
    str: of_text,
    int: lambda value: b"%d" % value,
    bool: lambda value: b"t" if value else b"f",
    UUID: lambda value: value.hex.encode(),
    datetime: lambda value: str(value).encode(),
}
"""How the values of a question's statements are sent; psycopg looks its dumpers up anew for each statement."""


class Step(NamedTuple):
    """A statement with `%s` for its parameters, whose types PostgreSQL infers; `formats` if some of them are binary."""

    statement: str
    values: Sequence[bytes | bytearray | None] = ()
    formats: Sequence[int] | None = None


class Segment:
    """Steps that were sent together, and their results so far."""

    __slots__ = ("answer", "error", "results")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.results: list[PGresult] = []
        self.error: Exception | None = None


class Pipeline:
    """One connection. `on_lost` is called once it is lost, after every waiting segment was answered with the error."""

    def __init__(self, connection: AsyncConnection[Any], on_lost: Callable[[], None]) -> None:
        self._connection = connection
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Segment] = deque()
        self._names: dict[str, bytes] = {}
        self._numbers = count()
        self._is_lost = False
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._socket = self._pgconn.socket
        self._loop.add_reader(self._socket, self._read)

    @property
    def is_busy(self) -> bool:
        """Whether a segment waits for its answer."""
        return bool(self._waiting)

    def dump(self, parameters: Sequence[Any]) -> Sequence[Any]:
        """The parameters in text format; those of other types than `AS_TEXT` as Django's connection would send them."""
        return [None if value is None else self._dump_one(value) for value in parameters]

    def _dump_one(self, value: Any) -> Any:
        if (written := AS_TEXT.get(type(value))) is not None:
            return written(value)
        return Transformer(self._connection).dump_sequence([value], [PyFormat.TEXT])[0]

    def rows(self, result: PGresult) -> list[Any]:
        """The rows of a result, as tuples."""
        transformer = Transformer(self._connection)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def send(self, steps: Sequence[Step], answer: Answer) -> None:
        """Send the steps, as one transaction unless they contain BEGIN; after a failed step the rest is skipped."""
        if self._is_lost:
            self._loop.call_soon(answer, [], OperationalError("the connection was lost"))
            return
        try:
            for step in steps:
                if step.statement not in self._names:
                    self._prepare(step.statement)
            self._waiting.append(Segment(answer))
            for statement, values, formats in steps:
                self._pgconn.send_query_prepared(self._names[statement], values, formats)
            self._pgconn.pipeline_sync()
            if self._pgconn.flush():
                self._loop.add_writer(self._socket, self._write)
        except OperationalError as error:
            self._loop.call_soon(self.lose, error)

    def _prepare(self, statement: str) -> None:
        def prepared(_: list[PGresult], error: Exception | None) -> None:
            if error is not None:  # prepared again at the next use; the steps that use it now fail too
                self._names.pop(statement, None)

        name = self._names[statement] = b"s%d" % next(self._numbers)
        self._waiting.append(Segment(prepared))
        self._pgconn.send_prepare(name, in_postgres(statement))
        self._pgconn.pipeline_sync()

    def _write(self) -> None:
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except OperationalError as error:
            self.lose(error)

    def _read(self) -> None:
        pgconn = self._pgconn
        try:
            pgconn.consume_input()
            while self._waiting and not pgconn.is_busy():
                result = pgconn.get_result()
                if result is not None:
                    self._take(result)
                elif pgconn.status == ConnStatus.BAD:
                    raise OperationalError("the connection was lost")
        except OperationalError as error:
            self.lose(error)

    def _take(self, result: PGresult) -> None:
        segment = self._waiting[0]
        if result.status == ExecStatus.PIPELINE_SYNC:
            self._waiting.popleft()
            self._tell(segment)
        elif result.status == ExecStatus.FATAL_ERROR:
            segment.error = error_from_result(result)
        else:
            segment.results.append(result)

    def _tell(self, segment: Segment) -> None:
        try:
            segment.answer(segment.results, segment.error)
        except Exception:  # a bug: the other segments get their answers all the same
            log.exception("an answer of the database could not be processed")

    def lose(self, error: Exception) -> None:
        """Close the connection, and answer every waiting segment with the error."""
        if self._is_lost:
            return
        self._is_lost = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        waiting, self._waiting = self._waiting, deque()
        for segment in waiting:
            segment.error = segment.error or error
            self._tell(segment)
        self._on_lost()


@cache
def in_postgres(statement: str) -> bytes:
    """The statement with PostgreSQL's placeholders."""
    first, *others = statement.split("%s")
    return "".join([first, *(f"${number}{text}" for number, text in enumerate(others, 1))]).encode()


class Link:
    """Keeps a pipeline connected; `pipeline` is None while it is not. `settings` is run in each new session."""

    def __init__(self, settings: str = "") -> None:
        self._settings = settings
        self._lost = asyncio.Event()
        self.pipeline: Pipeline | None = None
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        while True:
            try:
                self.pipeline = await self._connect()
                await self._lost.wait()
            except (Error, OSError) as error:
                log.warning("the event loop has no connection to PostgreSQL: %s", type(error).__name__)
            await asyncio.sleep(RETRY_AFTER)

    async def _connect(self) -> Pipeline:
        self._lost.clear()
        given = {**NAMED, **DIALECT.get_connection_params()}
        given.pop("cursor_factory", None)
        connection = await AsyncConnection.connect(**given, autocommit=True)
        if self._settings:
            await connection.execute(self._settings.encode())
        return Pipeline(connection, self._left)

    def _left(self) -> None:
        self.pipeline = None
        self._lost.set()

    async def close(self, seconds: float) -> None:
        """Close the connection, waiting up to `seconds` for outstanding answers."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        pipeline, self.pipeline = self.pipeline, None
        if pipeline is None:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while pipeline.is_busy and loop.time() < until:
            answered = loop.create_future()
            pipeline.send((), lambda *_, answered=answered: answered.set_result(None))
            await asyncio.wait([answered], timeout=until - loop.time())
        pipeline.lose(OperationalError("this server is going down"))
