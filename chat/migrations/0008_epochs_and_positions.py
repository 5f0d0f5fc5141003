"""Streams get an epoch, which fences their writers; messages a position, so that no clock orders them."""

from django.db import migrations, models
from django.db.models import Window
from django.db.models.functions import RowNumber

BATCH = 1_000


def number_messages(apps, schema_editor):
    """Positions from 0 in each conversation, in the order of the clock that was there."""
    messages = apps.get_model("chat", "Message").objects.using(schema_editor.connection.alias)
    number = Window(RowNumber(), partition_by="conversation", order_by=["created_at", "pk"])
    numbered = messages.only("pk").annotate(number=number - 1)
    batch = []
    for message in numbered.iterator(chunk_size=BATCH):
        message.position = message.number
        batch.append(message)
        if len(batch) == BATCH:
            messages.bulk_update(batch, ["position"])
            batch = []
    messages.bulk_update(batch, ["position"])


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_keys_and_audit")]

    operations = [
        migrations.AlterModelOptions(name="message", options={"ordering": ("position",)}),
        migrations.AddField(
            model_name="message",
            name="position",
            field=models.PositiveIntegerField(default=0, help_text="In the conversation, in the order of arrival."),
        ),
        migrations.AddField(
            model_name="stream",
            name="epoch",
            field=models.PositiveIntegerField(default=1, help_text="Grows whenever the stream changes hands or ends."),
        ),
        migrations.RunPython(number_messages, migrations.RunPython.noop),
    ]
