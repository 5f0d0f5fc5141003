"""Write fewer pages for a turn: no index that is the beginning of another one, and ids in the order of their making.

No table is touched: of Django's two columns only the index is dropped, and where ids come from is not the database's.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import chat.protocol.ids


def without_index(model: str, index: str) -> migrations.SeparateDatabaseAndState:
    """The model's `user` without its own index."""
    user = models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=f"{model}s",
        to=settings.AUTH_USER_MODEL,
    )
    drop, create = f'DROP INDEX "{index}"', f'CREATE INDEX "{index}" ON chat_{model} (user_id)'
    return migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunSQL(drop, create)],
        state_operations=[migrations.AlterField(model, "user", user)],
    )


def with_new_ids(model: str) -> migrations.SeparateDatabaseAndState:
    """The model with ids that are made by us."""
    id = models.UUIDField(default=chat.protocol.ids.new, editable=False, primary_key=True, serialize=False)
    return migrations.SeparateDatabaseAndState(state_operations=[migrations.AlterField(model, "id", id)])


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_events_without_rowid")]

    operations = [
        without_index("conversation", "chat_conversation_user_id_15357b84"),
        without_index("stream", "chat_stream_user_id_7f3f17c6"),
        *(with_new_ids(model) for model in ("conversation", "message", "stream", "attachment")),
    ]
