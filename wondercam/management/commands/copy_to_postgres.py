"""`manage.py copy_to_postgres`: copies the SQLite database to PostgreSQL."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from wondercam.checks import sqlite_file
from wondercam.database_copy import Copy, CopyRefused, is_open
from wondercam.databases import database

ON_POSTGRESQL = "The database is PostgreSQL already. To copy it, use pg_dump and pg_restore (`backup` prints how)."
OPEN = "Something has {path} open, most likely a running server: stop it first, so that nothing is written meanwhile."
NOT_POSTGRESQL = "This is not the address of a PostgreSQL database: write postgres://user:password@host:5432/name."


class Command(BaseCommand):
    """Copies all rows, with the server stopped. The SQLite file is not changed."""

    help = "Copy this installation's SQLite database into an empty PostgreSQL one, with the server stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the target database."""
        parser.add_argument(
            "url", metavar="URL", help="postgres://user:password@host:5432/name, a database that is empty"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the number of rows of each table as a JSON object"
        )

    def handle(self, *, url: str, **options: Any) -> None:
        """Check the databases, copy the rows, and print their numbers. Raises CommandError."""
        path = sqlite_file()
        if path is None:
            raise CommandError(ON_POSTGRESQL)
        if not path.is_file():
            raise CommandError(f"There is no database file {path} to copy.")
        to = target(url)
        connection.close()  # from Django 6.1 on system checks have opened it
        if is_open(path):
            raise CommandError(OPEN.format(path=path))
        counts: dict[str, int] = {}
        copied = self.copy(to, counts, path, quiet=options["json"])
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        tables = sum(map(bool, counts.values()))
        self.stdout.write(
            f"{copied:,} rows of {tables} tables are copied. Set DATABASE_URL to that address, then serve."
        )

    def copy(self, to: dict[str, Any], counts: dict[str, int], path: Path, *, quiet: bool) -> int:
        """Copy, fill `counts` with each table's number of rows, and return their sum. Raises CommandError."""

        def say(table: str, rows: int) -> None:
            counts[table] = rows
            if rows and not quiet:
                self.stdout.write(f"{table}: {rows:,}")

        try:
            return Copy(to, say).run()
        except CopyRefused as refused:
            raise CommandError(str(refused)) from None
        except DatabaseError as wrong:
            raise CommandError(f"Nothing was copied, and {path} is as it was: {str(wrong).strip()}") from wrong


def target(url: str) -> dict[str, Any]:
    """Return Django's settings for the new database. Raises CommandError unless the URL is one of PostgreSQL."""
    try:
        found = database(url, 1, Path(settings.DATA_DIR))
    except ImproperlyConfigured:
        raise CommandError(NOT_POSTGRESQL) from None
    if not found["ENGINE"].endswith("postgresql"):
        raise CommandError(NOT_POSTGRESQL)
    found["OPTIONS"].pop("pool")  # without a pool, so that a failure to connect has its own message
    return found
