"""On PostgreSQL, index the texts of messages by trigrams, for the review's search (`chat/admin/search.py`).

The index is made while others write. Without pg_trgm, or the right to add it, the search looks through the newest
messages, as on SQLite.
"""

from typing import Any

from django.db import DatabaseError, migrations

INDEX = "chat_message_said"
INDEXED = 'upper(("parts")::text)'
"""What Django compares for `Cast("parts", TextField())` and `icontains`."""

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
STATEMENTS = (
    f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}",  # what an interrupted migration left is not used
    f"CREATE INDEX CONCURRENTLY {INDEX} ON chat_message USING gin (({INDEXED}) gin_trgm_ops)",
)


def make_index(apps: Any, editor: Any) -> None:
    """Make the index where the database can."""
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


def drop_index(apps: Any, editor: Any) -> None:
    """Drop it where it was made."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("chat", "0028_api_key_name")]

    operations = [migrations.RunPython(make_index, drop_index)]
