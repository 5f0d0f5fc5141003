"""On SQLite, keep the log in the order of its key: one tree instead of a table and its index, half the pages a commit."""

from typing import Any

from django.db import migrations

COLUMNS = "stream_id, seq, at, data"

CLUSTERED = """
CREATE TABLE chat_event_clustered (
    stream_id char(32) NOT NULL REFERENCES chat_stream (id) DEFERRABLE INITIALLY DEFERRED,
    seq integer unsigned NOT NULL CHECK (seq >= 0),
    "at" bigint unsigned NOT NULL CHECK ("at" >= 0),
    data text NOT NULL,
    PRIMARY KEY (stream_id, seq)
) WITHOUT ROWID
"""


def cluster(apps: Any, editor: Any) -> None:
    """Copy what there is into a table that has no other order than its key's."""
    if editor.connection.vendor != "sqlite":
        return
    editor.execute(CLUSTERED)
    editor.execute(f"INSERT INTO chat_event_clustered ({COLUMNS}) SELECT {COLUMNS} FROM chat_event")  # nosec B608 (constants)
    editor.execute("DROP TABLE chat_event")
    editor.execute("ALTER TABLE chat_event_clustered RENAME TO chat_event")


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [migrations.RunPython(cluster, migrations.RunPython.noop)]
