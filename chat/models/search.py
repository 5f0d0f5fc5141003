"""What conversations are found by."""

from django.db import models

from chat.models.conversations import Conversation


class SearchText(models.Model):
    """A conversation's title and words, folded (`chat/search.py`). Full text engines index the column `text`.

    `seen` is the conversation's `updated_at` when it was read; null where it has changed since, or was changing.
    """

    id = models.BigAutoField(primary_key=True)
    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="searchable")
    seen = models.DateTimeField(null=True)
    text = models.TextField()

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.text[:60]}"
