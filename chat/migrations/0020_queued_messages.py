"""Messages that wait for the answer that runs in their conversation."""

import django.db.models.deletion
from django.db import migrations, models

import chat.protocol.ids


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0019_saved_filters"),
    ]

    operations = [
        migrations.CreateModel(
            name="QueuedMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chat.protocol.ids.new, editable=False, primary_key=True, serialize=False),
                ),
                ("position", models.IntegerField(help_text="In the conversation's queue: the lowest is sent next.")),
                (
                    "request",
                    models.JSONField(
                        help_text="What is asked, as a stream's request: photos by id, the model by name."
                    ),
                ),
                ("request_id", models.CharField(blank=True, max_length=200, null=True)),
                ("claims", models.JSONField(blank=True, help_text="By what right it was queued.", null=True)),
                (
                    "waits_for",
                    models.UUIDField(blank=True, help_text="The stream whose normal end it waits for.", null=True),
                ),
                ("now", models.BooleanField(default=False)),
                ("refusal", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="queued",
                        to="chat.conversation",
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
                "constraints": [
                    models.UniqueConstraint(fields=("conversation", "position"), name="one_queued_message_a_position"),
                    models.UniqueConstraint(
                        fields=("conversation", "request_id"), name="one_queued_message_per_request_id"
                    ),
                ],
            },
        ),
    ]
