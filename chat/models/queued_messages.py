"""What is sent next in a conversation: messages that wait for the answer that runs (`chat/turns/message_queue.py`)."""

from django.db import models

from chat.models.conversations import Conversation
from chat.protocol import ids


class QueuedMessage(models.Model):
    """A user's message that is not said yet. Its id is the message's once it is.

    The first of a conversation is sent when the stream that it waits for has ended as complete, or, with `now`, as soon
    as no answer of the conversation runs. `refusal` is why it could not be begun: then it waits for its user.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    conversation = models.ForeignKey(
        Conversation,
        models.CASCADE,
        related_name="queued",
        db_index=False,  # in the index below
    )
    position = models.IntegerField(help_text="In the conversation's queue: the lowest is sent next.")
    request = models.JSONField(help_text="What is asked, as a stream's request: photos by id, the model by name.")
    request_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 (many may have none)
    claims = models.JSONField(null=True, blank=True, help_text="By what right it was queued.")
    waits_for = models.UUIDField(null=True, blank=True, help_text="The stream whose normal end it waits for.")
    now = models.BooleanField(default=False)
    refusal = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("conversation", "position"), name="one_queued_message_a_position"),
            models.UniqueConstraint(fields=("conversation", "request_id"), name="one_queued_message_per_request_id"),
        )

    def __str__(self) -> str:
        return str(self.id)
