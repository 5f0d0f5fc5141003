"""Django's SQLite backend for servers: a file that is moved away while they run is not replaced by an empty one.

SQLite creates a file that is missing when it is connected to. A server whose file was moved would then answer from an
empty database in every thread that connects later, write to two files, and be in the way when the first is put back.

https://docs.djangoproject.com/en/5.2/ref/databases/#subclassing-the-built-in-database-backends
"""

from functools import cache
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Creates a database file only if there was none at the first connection of this process."""

    def get_connection_params(self) -> dict[str, Any]:
        """The arguments of `sqlite3.connect`."""
        params: dict[str, Any] = super().get_connection_params()
        name = str(params["database"])
        return {**params, "database": f"{Path(name).absolute().as_uri()}?mode=rw"} if was_there(name) else params


@cache
def was_there(name: str) -> bool:
    """Whether there was a file of that name at the first call. A name may be a URI too, of a database in memory."""
    return Path(name).is_file()
