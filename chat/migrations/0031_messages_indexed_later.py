"""On PostgreSQL, index messages by trigrams for the review's search, each some seconds after it is stored.

The index is empty at first, and in place of that of 0029; `chat/message_index.py` adds to it what there is, the newest
first. Without pg_trgm, or the right to add it, the search looks through the newest messages, as on SQLite.
"""

from typing import Any

from django.db import DatabaseError, migrations, models

INDEX, REST = "chat_message_said", "chat_message_unindexed"
INDEXED = 'upper(("parts")::text)'
"""What Django compares for `Cast("parts", TextField())` and `icontains`."""

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
STATEMENTS = (
    f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}",
    f"DROP INDEX CONCURRENTLY IF EXISTS {REST}",
    f"CREATE INDEX CONCURRENTLY {REST} ON chat_message (id) WHERE NOT is_indexed",
    f"CREATE INDEX CONCURRENTLY {INDEX} ON chat_message USING gin (({INDEXED}) gin_trgm_ops) WHERE is_indexed",
)


def make_indexes(apps: Any, editor: Any) -> None:
    """Make the indexes where the database can."""
    connection = editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        try:
            cursor.execute(EXTENSION)
        except DatabaseError:
            return
        for statement in STATEMENTS:
            cursor.execute(statement)


def drop_indexes(apps: Any, editor: Any) -> None:
    """Drop them where they were made."""
    if editor.connection.vendor == "postgresql":
        for name in (INDEX, REST):
            editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("chat", "0030_site_use")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="is_indexed",
            field=models.BooleanField(
                db_default=False,
                editable=False,
                help_text="In the index of the review's search, which PostgreSQL alone has.",
            ),
        ),
        migrations.RunPython(make_indexes, drop_indexes),
    ]
