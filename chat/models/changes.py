"""What has happened in a user's conversations, for the feeds of whoever looks at them (`chat/log/changes.py`)."""

from django.db import models

from chat.models.accounts import User


class Change(models.Model):
    """One line of a feed, in the order of the commits of its user. It outlives a conversation that is deleted."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="changes", db_index=False)  # in the index below
    conversation_id = models.UUIDField()
    kind = models.CharField(max_length=12)
    data = models.TextField(help_text="What belongs to this kind, as a JSON object on one line.")
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("user", "id"), name="changes_of_user"),)

    def __str__(self) -> str:
        return f"{self.id}: {self.kind}"
