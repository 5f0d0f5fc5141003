"""Django's database settings for `DATABASE_URL`: SQLite in WAL mode, or PostgreSQL with a connection pool."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from wondercam.installation import needs

SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
    # Checkpoints are the server's (chat/log/checkpoint.py); a command's are made when it closes its connection.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;",
}

LOST = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""Timeouts of libpq for a PostgreSQL that does not respond at all, as after a failure of its machine or the network:
25 s without traffic, 15 s for sent data (ms). Without them the kernel waits for hours.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES"""

NO_FILE = "no file, and a database in memory is gone with each process: write sqlite:////path/file.sqlite3."
POSTGRES_FORM = "postgres://user:password@host:5432/name"


def database(url: str, pool: int, folder: Path) -> dict[str, Any]:
    """Return Django's settings for the database at `url`. Raises ImproperlyConfigured.

    `pool`: the most PostgreSQL connections of one worker; the commit thread uses one while it writes, other threads one
    during a call. `folder` has the tests' SQLite file. Options in the URL override those of libpq here:
    `postgres://…?tcp_user_timeout=60000`.
    """
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError) as wrong:
        sentence = f"DATABASE_URL cannot be read ({wrong}): write sqlite:///… or postgres://…"
        raise ImproperlyConfigured(sentence) from None
    if found["ENGINE"] == "django.db.backends.sqlite3":
        if found["NAME"] == ":memory:":
            raise ImproperlyConfigured(f"DATABASE_URL names {NO_FILE}")
        found["ENGINE"] = "wondercam.sqlite3"  # it creates no file in the place of one that was moved
        return {**found, "OPTIONS": SQLITE, "CONN_MAX_AGE": None, "TEST": {"NAME": str(folder / "test.sqlite3")}}
    if found["ENGINE"] == "django.db.backends.postgresql":
        needs("psycopg", "postgres", "DATABASE_URL")
        if not (found["NAME"] or "service" in (found.get("OPTIONS") or {})):
            raise ImproperlyConfigured(f"DATABASE_URL names no database: write {POSTGRES_FORM}.")
        options = {**LOST, **dict(found.get("OPTIONS") or {}), "pool": {"min_size": 1, "max_size": pool, "timeout": 2}}
        return {**found, "OPTIONS": options, "CONN_HEALTH_CHECKS": True}  # the pool keeps connections that have broken
    raise ImproperlyConfigured("DATABASE_URL must be sqlite:///… or postgres://…")
