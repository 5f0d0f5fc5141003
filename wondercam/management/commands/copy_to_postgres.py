"""`manage.py copy_to_postgres`: from SQLite to PostgreSQL, with everything."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from wondercam.checks import sqlite_file
from wondercam.database_copy import Copy, CopyRefused, is_open
from wondercam.databases import database

ON_POSTGRESQL = "The database is PostgreSQL already. To copy it, use pg_dump and pg_restore (`backup` prints how)."
OPEN = "Something has {path} open, most likely a running server: stop it first, so that nothing is written meanwhile."
NOT_POSTGRESQL = "That is no address of a PostgreSQL database: write postgres://user:password@host:5432/name."


class Command(BaseCommand):
    """Once, with the server stopped; the SQLite file stays as it is."""

    help = "Copy this installation's SQLite database into an empty PostgreSQL one, with the server stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument(
            "url", metavar="URL", help="postgres://user:password@host:5432/name, a database that is empty"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the number of rows of each table as a JSON object"
        )

    def handle(self, *, url: str, **options: Any) -> None:
        """Look whether it may be done, do it, tell."""
        path = sqlite_file()
        if path is None:
            raise CommandError(ON_POSTGRESQL)
        if not path.is_file():
            raise CommandError(f"There is no database file {path} to copy.")
        to = target(url)
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
        """Copy, and count each table's rows into `counts`."""

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
    """Django's settings for the new database; CommandError where the address is none of PostgreSQL."""
    try:
        found = database(url, 1, Path(settings.DATA_DIR))
    except ImproperlyConfigured:
        raise CommandError(NOT_POSTGRESQL) from None
    if not found["ENGINE"].endswith("postgresql"):
        raise CommandError(NOT_POSTGRESQL)
    found["OPTIONS"].pop("pool")  # one connection, whose failure says why
    return found
