"""What a program asks of its machine, answered by a simulation: time, chance, process ids, SQLite files.

`Machine.install` puts its own functions into the standard library before Django or anything of ours is imported, so the
modules under test are exactly those that are shipped. It is for a process that does nothing else (`__main__.py`).
While no world is attached, during migrations for instance, the real functions answer.
"""

import os
import random
import secrets
import socket
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.simulation.disk import ConnectionOnDisk


class Told(Protocol):
    """What a world answers for the process that is at work just now."""

    now: float

    @property
    def random(self) -> random.Random: ...
    def wall_clock(self) -> float: ...
    def process_id(self) -> int: ...
    def host(self) -> str: ...
    def lives(self, pid: int) -> bool: ...


class Machine:
    """Answers by the world that is attached."""

    def __init__(self) -> None:
        self.world: Told | None = None

    def install(self) -> None:
        """Take the place of the standard library's functions, for the whole life of this process."""
        self._replace(time, "monotonic", lambda world: world.now)
        self._replace(time, "perf_counter", lambda world: world.now)
        self._replace(time, "time", lambda world: world.wall_clock())
        self._replace(time, "time_ns", lambda world: int(world.wall_clock() * 1e9))
        self._replace(time, "sleep", self._never)
        self._replace(os, "urandom", lambda world, size: world.random.randbytes(size))
        self._replace(os, "getpid", lambda world: world.process_id())
        self._replace(os, "kill", self._kill)
        self._replace(secrets, "token_hex", lambda world, size=32: world.random.randbytes(size).hex())
        self._replace(socket, "gethostname", lambda world: world.host())
        for module in (sqlite3, sqlite3.dbapi2):
            vars(module)["connect"] = self._connector(sqlite3.dbapi2.Connection)

        from django.utils import timezone  # the one module of Django's whose clock is not the standard library's

        self._replace(timezone, "now", lambda world: datetime.fromtimestamp(world.wall_clock(), UTC))

    def _replace(self, module: Any, name: str, told: Callable[..., Any]) -> None:
        real = getattr(module, name)
        setattr(module, name, lambda *given: real(*given) if self.world is None else told(self.world, *given))

    @staticmethod
    def _never(world: Told, seconds: float) -> None:
        raise AssertionError("a thread of the simulation sleeps for real")

    @staticmethod
    def _kill(world: Told, pid: int, number: int) -> None:
        assert number == 0, "a process of the simulation sends a real signal"
        if not world.lives(pid):
            raise ProcessLookupError(pid)

    def _connector(self, plain: type[sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        def connect(*given: Any, **options: Any) -> sqlite3.Connection:
            if self.world is None:
                return plain(*given, **options)
            return ConnectionOnDisk(*given, **{**options, "timeout": 0})

        return connect
