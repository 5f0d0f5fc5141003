"""Backs up the database into one file while the server runs."""

import json
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from chat.log import sqlite_file
from chat.management import arguments
from chat.management.files import new_file
from chat.management.filters import Filter
from chat.management.progress import Progress

LOOK = 200_000
"""Instructions of SQLite's virtual machine between two reports of progress: some ms."""


class Command(Filter):
    """`backup`: SQLite's `VACUUM INTO`, which copies one snapshot and does not block writers."""

    help = "Copy the database into a new file while the server runs (for PostgreSQL, print the pg_dump command)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the target file."""
        parser.add_argument(
            "file", metavar="FILE", type=arguments.file, help="a file that does not exist yet; it is made 0600"
        )
        parser.add_argument("--json", action="store_true", help="print what was written as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy the database, check the copy, and print the result."""
        if options["file"] == "-":
            raise CommandError("A database is not written to standard output: name a file.")
        if connection.vendor != "sqlite":
            raise CommandError(advice(options["file"], connection.settings_dict))
        began, path = monotonic(), Path(options["file"])
        back_up(Path(str(connection.settings_dict["NAME"])), path, self.say)
        size, seconds = path.stat().st_size, monotonic() - began
        if options["json"]:
            return self.put(json.dumps({"file": str(path), "bytes": size, "seconds": round(seconds, 3)}) + "\n")
        self.stdout.write(f"{path} has a copy of the database: {size:,} bytes, in {seconds:.1f} s.")


def back_up(source: Path, path: Path, say: Callable[[str], None]) -> None:
    """Copy `source` into the new file `path`, and check it. If that fails, removes the file and raises CommandError."""
    if not source.is_file():
        raise CommandError(f"There is no database file {source} to copy.")
    with new_file(str(path)):
        try:
            copy(source, path, Progress(say, source.stat().st_size, "bytes", count=lambda: path.stat().st_size))
            check(path)
        except sqlite3.Error as wrong:
            raise CommandError(f"The back-up was not made: {fault_of(source) or wrong}. {path} is removed.") from None


def fault_of(source: Path) -> str:
    """What is wrong with the database that was to be copied; "" if it is sound, and the copy is at fault."""
    try:
        database = sqlite_file.connect(source, timeout=5)
        try:
            ((said,),) = database.execute("PRAGMA quick_check(1)").fetchall()
        finally:
            database.close()
    except sqlite3.OperationalError:  # as where it is locked
        return ""
    except sqlite3.DatabaseError as wrong:
        said = str(wrong)
    said = said.splitlines()[-1]
    return "" if said == "ok" else f"the database {source} itself is damaged ({said}): restore it from a back-up"


def copy(source: Path, path: Path, progress: Progress) -> None:
    """Copy a snapshot of the database into the empty file `path`. Raises sqlite3.Error."""
    database = sqlite_file.connect(source, timeout=5)
    try:
        database.set_progress_handler(lambda: progress.look(), LOOK)
        if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError(f"{source} is an empty database, without any table")
        database.execute("VACUUM INTO ?", [str(path)])
    finally:
        database.close()


def check(path: Path) -> None:
    """Check the integrity of the copy. Raises sqlite3.Error."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        ((said,),) = database.execute("PRAGMA quick_check(1)").fetchall()
    finally:
        database.close()
    if said != "ok":
        raise sqlite3.DatabaseError(f"the copy is not sound ({said})")


def advice(name: str, settings: dict[str, Any]) -> str:
    """Return the commands to back up and restore PostgreSQL, without the password.

    Tables that are not in the file, as of a later version, would stay beside those of the file, and the next upgrade
    would end at them: so everything is dropped first.
    """
    given = {"--host": "HOST", "--port": "PORT", "--username": "USER", "--dbname": "NAME"}
    words = [f"{option}={settings[key]}" for option, key in given.items() if settings.get(key)]
    dump = shlex.join(["pg_dump", "--format=custom", *words, f"--file={name}"])
    empty = shlex.join(["psql", *words, "--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public"])
    restore = shlex.join(["pg_restore", "--clean", "--if-exists", "--no-owner", *words, name])
    return (
        "The database is PostgreSQL, whose own program backs it up while the server runs (the password comes from "
        f"PGPASSWORD or ~/.pgpass):\n\n    (umask 077 && {dump})\n\n"
        f"To restore it, with the server stopped, in place of all that is in the database now:\n\n    {empty}\n"
        f"    {restore}\n"
    )
