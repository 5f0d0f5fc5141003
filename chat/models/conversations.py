"""Conversations, their messages and attachments, and the streams of their answers."""

from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from chat.models.accounts import OwnedQuerySet, User
from chat.protocol import events, ids


class Conversation(models.Model):
    """A conversation of one user with one or more models."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="conversations", db_index=False)  # in the index below
    title = models.CharField(max_length=200, blank=True)
    pinned = models.BooleanField(default=False)
    system = models.TextField(blank=True, help_text="The conversation's own system instruction.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-pinned", "-updated_at")
        permissions = (("read_texts", "Can read the texts of other people's chats"),)
        indexes = (models.Index(fields=("user", "-updated_at")),)

    def __str__(self) -> str:
        return self.title or str(self.id)


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages, many at a time."""

    def whole(self) -> Self:
        """The messages with their streams and feedback, in one query."""
        return self.select_related("stream", "feedback")


class Message(models.Model):
    """One user's or model's message. `parts` are Gemini's, a photo being `{"attachment": <id>}`, and a sound
    `{"attachment": <id>, "mimeType": "audio/…"}`."""

    USER, MODEL = "user", "model"
    ROLES = ((USER, "user"), (MODEL, "model"))

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="replies")
    role = models.CharField(max_length=5, choices=ROLES)
    parts = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0, help_text="In the conversation, in the order of arrival.")
    created_at = models.DateTimeField(auto_now_add=True)
    is_indexed = models.BooleanField(
        db_default=False,
        editable=False,
        help_text="In the index of the review's search, which PostgreSQL alone has.",
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:60]}"

    @property
    def text(self) -> str:
        """The text parts, joined; a model's thoughts are not part of its answer."""
        return "".join(part.get("text", "") for part in self.parts if not part.get("thought"))


class Feedback(models.Model):
    """The user's latest rating of an answer, with its reason if one was given."""

    UP, DOWN = 1, -1
    VALUES = ((UP, "thumbs up"), (DOWN, "thumbs down"))
    LONGEST_REASON = 1_000

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="feedback")
    value = models.SmallIntegerField(choices=VALUES)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(value__in=(1, -1)), name="feedback_is_up_or_down"),)

    def __str__(self) -> str:
        return f"{self.get_value_display()}: {self.reason}" if self.reason else self.get_value_display()

    @classmethod
    def give(cls, message: Message, value: int, reason: str) -> "Feedback | None":
        """Store a rating in place of an earlier one; 0 deletes that. The transaction has to lock the message."""
        if not value:
            cls.objects.filter(message=message).delete()
            return None
        return cls.objects.update_or_create(message=message, defaults={"value": value, "reason": reason})[0]

    def as_json(self) -> dict[str, Any]:
        """The rating as the API returns it."""
        return {"value": self.value, "reason": self.reason}


class StreamQuerySet(OwnedQuerySet):
    """Turns."""

    def with_question(self) -> Self:
        """The streams with `question_id`, the id of the message that they answer."""
        return self.annotate(question_id=F("answer__parent_id"))


class Stream(models.Model):
    """One turn: its request, model, worker and end. The answer's text is in its events."""

    STATUSES = tuple((status, status) for status in events.STATUSES)

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="streams", db_index=False)  # in the constraint's
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="streams")
    answer = models.OneToOneField(Message, models.CASCADE, related_name="stream")
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    request = models.JSONField(default=dict, help_text="The request as sent to the provider, photos by id.")
    request_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 (many may have none)
    status = models.CharField(max_length=11, choices=STATUSES, default=events.RUNNING)
    error = models.JSONField(null=True, blank=True)
    usage = models.JSONField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    epoch = models.PositiveIntegerField(default=1, help_text="Grows whenever the stream changes hands or ends.")
    read_elsewhere_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a process that does not write it had a reader of it."
    )
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    last_seq = models.PositiveIntegerField(default=0, help_text="Of the last event; exact once the stream has ended.")
    first_token_us = models.PositiveBigIntegerField(null=True, blank=True)

    question_id: UUID | None = None
    """The message that it answers; set for a turn that has just begun, and by `with_question`."""

    objects = StreamQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("user", "request_id"), name="one_stream_per_request_id"),
            models.CheckConstraint(condition=Q(status__in=events.STATUSES), name="stream_status_is_known"),
        )
        indexes = (
            models.Index(fields=("-created_at",)),
            models.Index(fields=("lease_until",), condition=Q(status=events.RUNNING), name="running_streams"),
        )

    def __str__(self) -> str:
        return str(self.id)

    @property
    def model_id(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"

    def request_stop(self) -> None:
        """Store a stop request for the process that runs the turn; nothing if it has ended."""
        running = Stream.objects.filter(pk=self.pk, status=events.RUNNING)
        running.update(stop_requested_at=timezone.now())


class Event(models.Model):
    """One event of the log, never changed once written. `at`: µs since the stream began, by a monotonic clock."""

    pk = models.CompositePrimaryKey("stream_id", "seq")
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    at = models.PositiveBigIntegerField()
    data = models.TextField()

    class Meta:
        ordering = ("seq",)

    def __str__(self) -> str:
        return f"{self.stream_id}:{self.seq}"


class Attachment(models.Model):
    """A stored photo or sound. A photo was decoded and encoded again, so that only its pixels are left of the upload;
    of a sound's file only the sound is left."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="attachments")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, blank=True, related_name="attachments")
    mime_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField(help_text="Of a photo, in pixels; a sound has 0.")
    height = models.PositiveIntegerField(help_text="Of a photo, in pixels; a sound has 0.")
    seconds = models.FloatField(null=True, blank=True, help_text="Of a sound; a photo has none.")
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    def __str__(self) -> str:
        return (
            f"{self.mime_type} {self.seconds:.1f} s"
            if self.is_sound
            else f"{self.mime_type} {self.width}×{self.height}"
        )

    @property
    def is_sound(self) -> bool:
        """Whether it is a sound, not a photo."""
        return self.mime_type.startswith("audio/")

    def as_part(self) -> dict[str, Any]:
        """The part of a message that refers to it."""
        return {"attachment": str(self.pk), **({"mimeType": self.mime_type} if self.is_sound else {})}

    def as_json(self) -> dict[str, Any]:
        """The attachment as the API returns it."""
        if self.is_sound:
            return {"id": self.pk, "mimeType": self.mime_type, "seconds": self.seconds}
        return {"id": self.pk, "width": self.width, "height": self.height}
