"""The database of an address (`DATABASE_URL`): SQLite with one writer in mind, or PostgreSQL with a pool."""

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
"""After how long libpq gives up a PostgreSQL that answers nothing any more, not even by closing the connection, as when
its machine or the network is gone: 25 s in silence, 15 s for what was sent (ms). Without it the kernel waits for hours.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES"""


def database(url: str, pool: int, folder: Path) -> dict[str, Any]:
    """Django's settings for it. `pool`: PostgreSQL connections of one worker, of which the commit thread holds one
    while it writes, a thread one for each call. `folder` is that of the tests' SQLite file. Of libpq's options the
    address has the last word: `postgres://…?tcp_user_timeout=60000`."""
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError) as wrong:
        sentence = f"DATABASE_URL cannot be read ({wrong}): write sqlite:///… or postgres://…"
        raise ImproperlyConfigured(sentence) from None
    if found["ENGINE"] == "django.db.backends.sqlite3":
        return {**found, "OPTIONS": SQLITE, "CONN_MAX_AGE": None, "TEST": {"NAME": str(folder / "test.sqlite3")}}
    if found["ENGINE"] == "django.db.backends.postgresql":
        needs("psycopg", "postgres", "DATABASE_URL")
        options = {**LOST, **dict(found.get("OPTIONS") or {}), "pool": {"min_size": 1, "max_size": pool, "timeout": 2}}
        return {**found, "OPTIONS": options, "CONN_HEALTH_CHECKS": True}  # the pool keeps what an outage broke
    raise ImproperlyConfigured("DATABASE_URL must be sqlite:///… or postgres://…")
