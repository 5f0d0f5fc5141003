"""Copies all rows of this installation's SQLite database into a new PostgreSQL one, from one snapshot.

    is_open ── whether another process has the file open: rows that a running server writes would be lost
    Copy ───── migrates the new database, then fills it in one transaction

Values are converted by Django's fields, so that ids, times and JSON have PostgreSQL's types, and inserted by COPY.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Field, Model, QuerySet

TARGET = "copy"
"""Django's alias of the new database."""

BATCH = 2000
"""Rows that are fetched at once."""


class CopyRefused(Exception):
    """Nothing was copied; the message says why."""


def is_open(path: Path) -> bool:
    """Whether another process has this SQLite file open."""
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as probe:
        probe.execute("PRAGMA locking_mode=EXCLUSIVE")  # in WAL mode it fails if another connection is open
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
    return False


def tables() -> list[type[Model]]:
    """Return all models with tables, including those of many-to-many relations."""
    models = apps.get_models(include_auto_created=True)
    return [model for model in models if model._meta.managed and not model._meta.proxy]


class Copy:
    """Copies into the database with these settings of Django. `say` is called with each table and its number of
    rows."""

    def __init__(self, settings: dict[str, Any], say: Callable[[str, int], None]) -> None:
        connections.settings[TARGET] = connections.configure_settings({DEFAULT_DB_ALIAS: settings})[DEFAULT_DB_ALIAS]
        self._say = say

    def run(self) -> int:
        """Copy all tables, and return the number of rows. Raises CopyRefused if the new database has accounts or lacks
        rows after the copy, and DatabaseError."""
        call_command("migrate", database=TARGET, interactive=False, verbosity=0)
        if QuerySet(get_user_model(), using=TARGET).exists():
            raise CopyRefused("There are accounts in that database: name one that is empty.")
        try:
            with transaction.atomic(TARGET), transaction.atomic():  # on SQLite this blocks other writers
                self._empty()
                counts = [self._copy(model) for model in tables()]
                self._continue_sequences()
        finally:
            connections[TARGET].close()
        return sum(counts)

    def _empty(self) -> None:
        """Delete the rows that the migrations have inserted, whose ids may differ from those in SQLite."""
        quote = connections[TARGET].ops.quote_name
        with connections[TARGET].cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(quote(model._meta.db_table) for model in tables())}")

    def _copy(self, model: type[Model]) -> int:
        fields = [field for field in model._meta.concrete_fields if field.column]  # a composite key has no column
        quote = connections[TARGET].ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in fields)
        count = 0
        statement = f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN"
        with connections[TARGET].cursor() as cursor, cursor.copy(statement) as into:
            for row in rows(model, fields):
                into.write_row(row)
                count += 1
        stored = QuerySet(model, using=TARGET).count()
        if stored != count:
            raise CopyRefused(f"Of {count:,} rows of {model._meta.db_table} only {stored:,} arrived; nothing is kept.")
        self._say(model._meta.db_table, count)
        return count

    def _continue_sequences(self) -> None:
        """Set the sequences to continue after the copied ids."""
        with connections[TARGET].cursor() as cursor:
            for statement in connections[TARGET].ops.sequence_reset_sql(no_style(), tables()):
                cursor.execute(statement)


def rows(model: type[Model], fields: "Sequence[Field[Any, Any]]") -> Iterator[list[Any]]:
    """Yield all rows of a model, with values for the new database."""
    target = connections[TARGET]
    stored: QuerySet[Any, Any] = QuerySet(model).order_by().values_list(*(field.attname for field in fields))
    for row in stored.iterator(chunk_size=BATCH):
        yield [prepared(field, value, target) for field, value in zip(fields, row, strict=True)]


def prepared(field: "Field[Any, Any]", value: Any, target: Any) -> Any:
    """Return a value for PostgreSQL's driver."""
    return field.get_db_prep_save(without_nul(value), connection=target)


def without_nul(value: Any) -> Any:
    """Replace NUL, which PostgreSQL cannot store in text and JSON, with U+FFFD, as in new answers."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [without_nul(each) for each in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(each) for name, each in value.items()}
    return value
