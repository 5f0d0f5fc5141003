"""What is searched, and the index of trigrams over it. A later change of the table `chat_searchtext` must make the
triggers again, since SQLite's schema editor makes the table anew."""

import django.db.models.deletion
from django.db import DatabaseError, migrations, models, transaction

TRIGRAMS = "chat_searchtext_trigrams"
FTS5 = (
    f"CREATE VIRTUAL TABLE {TRIGRAMS} USING fts5(text, content='chat_searchtext', content_rowid='id', tokenize='trigram')",
    f"""CREATE TRIGGER {TRIGRAMS}_added AFTER INSERT ON chat_searchtext BEGIN
        INSERT INTO {TRIGRAMS} (rowid, text) VALUES (new.id, new.text); END""",
    f"""CREATE TRIGGER {TRIGRAMS}_gone AFTER DELETE ON chat_searchtext BEGIN
        INSERT INTO {TRIGRAMS} ({TRIGRAMS}, rowid, text) VALUES ('delete', old.id, old.text); END""",
    f"""CREATE TRIGGER {TRIGRAMS}_changed AFTER UPDATE OF text ON chat_searchtext BEGIN
        INSERT INTO {TRIGRAMS} ({TRIGRAMS}, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO {TRIGRAMS} (rowid, text) VALUES (new.id, new.text); END""",
)
PG_TRGM = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"CREATE INDEX {TRIGRAMS} ON chat_searchtext USING gin (text gin_trgm_ops)",
)


def make_index(apps, schema_editor):
    """Where the database can; else searching reads the rows."""
    statements = {"sqlite": FTS5, "postgresql": PG_TRGM}.get(schema_editor.connection.vendor, ())
    try:
        with transaction.atomic(schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError:
        pass  # an SQLite without FTS5 or trigrams, a PostgreSQL without pg_trgm or the right to add it


def drop_index(apps, schema_editor):
    """The table goes next; its triggers and its PostgreSQL index go with it."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"DROP TABLE IF EXISTS {TRIGRAMS}")


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0015_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchText",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("seen", models.DateTimeField(null=True)),
                ("text", models.TextField()),
                (
                    "conversation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="searchable",
                        to="chat.conversation",
                    ),
                ),
            ],
        ),
        migrations.RunPython(make_index, drop_index),
    ]
