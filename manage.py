#!/usr/bin/env python
"""Run one of Django's or WonderCam's commands. A wrong setting ends it with the sentence that says which."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, OperationalError, ProgrammingError


def main() -> int:
    """Run the command line; exit status 1 on a setting that cannot be used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wondercam.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        print(f"WonderCam cannot start: {wrong}", file=sys.stderr)
        return 1
    except DatabaseError as wrong:
        if "--traceback" in sys.argv or not is_the_databases(wrong):
            raise
        print(f"The database cannot be used: {str(wrong).strip()}. {advice(wrong)}", file=sys.stderr)
        return 1
    return 0


def is_the_databases(wrong: DatabaseError) -> bool:
    """Whether the database is away, broken or behind, and not a statement of ours wrong."""
    return type(wrong) in (DatabaseError, OperationalError) or (
        is_behind(wrong) and isinstance(wrong, ProgrammingError)
    )


def is_behind(wrong: DatabaseError) -> bool:
    """Whether a table or column is missing (SQLite's words, and PostgreSQL's)."""
    return any(words in str(wrong) for words in ("no such table", "no such column", "does not exist"))


def advice(wrong: DatabaseError) -> str:
    """What to do about it."""
    if is_behind(wrong):
        return "Run `manage.py migrate` first."
    return "`manage.py check --deploy` says more; --traceback shows where it happened."


if __name__ == "__main__":
    sys.exit(main())
