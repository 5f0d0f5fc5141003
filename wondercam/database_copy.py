"""All rows of this installation's SQLite database, copied into a new PostgreSQL one, as they are at one moment.

    is_open ── whether anybody else has the file open: a server that went on writing would lose what it writes
    Copy ───── migrates the new database, then fills it in one transaction: all of it, or nothing

Rows go by Django's fields, so that ids, times and documents have the types that PostgreSQL keeps them in, and by COPY.
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
"""Django's name for the new database."""

BATCH = 2000
"""Rows that are read at once."""


class CopyRefused(Exception):
    """Why nothing was copied, in a sentence."""


def is_open(path: Path) -> bool:
    """Whether another process has this SQLite file open."""
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as probe:
        probe.execute("PRAGMA locking_mode=EXCLUSIVE")  # with the write-ahead log nobody else may have it open
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
    return False


def tables() -> list[type[Model]]:
    """Every model with a table of its own, those between two others among them."""
    models = apps.get_models(include_auto_created=True)
    return [model for model in models if model._meta.managed and not model._meta.proxy]


class Copy:
    """Into the database that has these settings of Django's. `say` is told each table, with its number of rows."""

    def __init__(self, settings: dict[str, Any], say: Callable[[str, int], None]) -> None:
        connections.settings[TARGET] = connections.configure_settings({DEFAULT_DB_ALIAS: settings})[DEFAULT_DB_ALIAS]
        self._say = say

    def run(self) -> int:
        """Copy; the number of rows. CopyRefused where there is something in the new database, DatabaseError where it
        takes a row no more than that."""
        call_command("migrate", database=TARGET, interactive=False, verbosity=0)
        if QuerySet(get_user_model(), using=TARGET).exists():
            raise CopyRefused("There are accounts in that database: name one that is empty.")
        try:
            with transaction.atomic(TARGET), transaction.atomic():  # of SQLite this is the one writer, too
                self._empty()
                counts = [self._copy(model) for model in tables()]
                self._continue_sequences()
        finally:
            connections[TARGET].close()
        return sum(counts)

    def _empty(self) -> None:
        """What the migrations have put there has other ids here."""
        quote = connections[TARGET].ops.quote_name
        with connections[TARGET].cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(quote(model._meta.db_table) for model in tables())}")

    def _copy(self, model: type[Model]) -> int:
        fields = [field for field in model._meta.concrete_fields if field.column]  # a composite key has none
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
        """The next row gets the next number."""
        with connections[TARGET].cursor() as cursor:
            for statement in connections[TARGET].ops.sequence_reset_sql(no_style(), tables()):
                cursor.execute(statement)


def rows(model: type[Model], fields: "Sequence[Field[Any, Any]]") -> Iterator[list[Any]]:
    """Every row, each value as the new database takes it."""
    target = connections[TARGET]
    stored: QuerySet[Any, Any] = QuerySet(model).order_by().values_list(*(field.attname for field in fields))
    for row in stored.iterator(chunk_size=BATCH):
        yield [prepared(field, value, target) for field, value in zip(fields, row, strict=True)]


def prepared(field: "Field[Any, Any]", value: Any, target: Any) -> Any:
    """The value as PostgreSQL's driver takes it."""
    return field.get_db_prep_save(without_nul(value), connection=target)


def without_nul(value: Any) -> Any:
    """PostgreSQL keeps no NUL in texts and documents; U+FFFD stands for it, as in answers everywhere."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [without_nul(each) for each in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(each) for name, each in value.items()}
    return value
