"""The event loop's own database connections: SQLite's or PostgreSQL's, for commits and for short reads.

SQLite's is opened at its first use. PostgreSQL's are open while the process serves; commands need none.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async

from chat.log.checkpoint import Checkpointer
from chat.log.group_commit import LoopConnection
from chat.log.sql import DIALECT, DJANGO, Database, in_thread
from chat.log.sqlite_commit import SqliteConnection, database_file

if TYPE_CHECKING:
    from chat.log.postgres_commit import PostgresCommit

T = TypeVar("T")


class OwnConnection:
    """The connections of one event loop. `checkpoint` makes the thread that checkpoints SQLite's write-ahead log."""

    def __init__(self, checkpoint: Callable[[str], Checkpointer]) -> None:
        self._checkpoint = checkpoint
        self._serving = False
        self._sqlite: SqliteConnection | None = None
        self._postgres: PostgresCommit | None = None
        self._checkpointer: Checkpointer | None = None

    def open(self) -> None:
        """Start serving: begin checkpoints on SQLite, connect to PostgreSQL."""
        self._serving = True
        if path := database_file():
            self._checkpointer = self._checkpoint(path)
        elif DIALECT.vendor == "postgresql":
            from chat.log.postgres_commit import PostgresCommit  # psycopg is not installed everywhere

            self._postgres = PostgresCommit()

    async def leave(self) -> None:
        """Stop serving: close PostgreSQL's connections once their statements are answered."""
        self._serving = False
        if self._postgres is not None:
            await self._postgres.close()
            self._postgres = None

    def close(self) -> None:
        """Close SQLite's connection and end checkpoints, once nothing is committed any more. It blocks."""
        if self._sqlite is not None:
            self._sqlite.close()
            self._sqlite = None
        if self._checkpointer is not None:
            self._checkpointer.close()
            self._checkpointer = None

    def connect(self) -> LoopConnection | None:
        """The connection that the loop commits on; None if it has none."""
        return self._postgres or self._connect_sqlite()

    def _connect_sqlite(self) -> SqliteConnection | None:
        if self._sqlite is None and (path := database_file()):
            self._sqlite = SqliteConnection(path, self._count_commit)
        return self._sqlite

    def _count_commit(self) -> None:
        if self._checkpointer is not None:
            self._checkpointer.count_commit()

    async def run(self, function: Callable[[Database], T], user_id: int) -> T | None:
        """The result of `function`, which changes rows of that user, once PostgreSQL has committed it; None if the
        commit thread has to run it."""
        return None if self._postgres is None else await self._postgres.jobs.run(function, user_id)

    async def fetch(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of one short SELECT, without a thread if possible: the hop takes longer than the query.

        On SQLite another connection would also have to reread the pages that each commit changes.
        """
        found = await self._find(statement, parameters)
        return await sync_to_async(DJANGO.query)(statement, parameters) if found is None else found

    async def fetch_briefly(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The same for tasks that belong to no request: a thread's connection is given back after the query."""
        found = await self._find(statement, parameters)
        return await in_thread(partial(DJANGO.query, statement, parameters)) if found is None else found

    async def _find(self, statement: str, parameters: Sequence[Any]) -> list[Any] | None:
        if self._postgres is not None:
            return await self._postgres.query(statement, parameters)
        connection = self._connect_sqlite() if self._serving else None
        return None if connection is None else connection.find(statement, parameters)
