"""What reviewers think of answers: one verdict of each reviewer, all that it was before, and who is at it now; and
which of two answers to one request is better."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from chat.models.accounts import User
from chat.models.conversations import Stream

SCORES = (1, 2, 3, 4, 5)
CRITERIA = ("correct", "helpful", "clear", "safe")
"""The rubric: each is held, broken, or not judged."""

LONGEST_NOTE = 4_000
LONGEST_TAG, MOST_TAGS = 40, 20

LOCKED = timedelta(minutes=15)
"""For which an answer is one reviewer's own, from the last time that it was opened."""


class Verdict(models.Model):
    """One reviewer's verdict on one answer. Every state of it stays in `changes`."""

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="verdicts")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="verdicts")
    score = models.PositiveSmallIntegerField(null=True, choices=tuple((score, str(score)) for score in SCORES))
    rubric = models.JSONField(default=dict, help_text="Criteria that were judged: true where held.")
    tags = models.JSONField(default=list)
    note = models.TextField(blank=True, max_length=LONGEST_NOTE)
    flagged = models.BooleanField(default=False, help_text="Somebody else is to look at it as well.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("stream", "reviewer"), name="one_verdict_of_each_reviewer"),
            models.CheckConstraint(condition=Q(score__isnull=True) | Q(score__in=SCORES), name="score_is_known"),
        )
        indexes = (models.Index(fields=("-updated_at",)),)

    def __str__(self) -> str:
        return f"{self.score or '–'} by {self.reviewer_id}"

    @classmethod
    def file(cls, stream: Stream, reviewer: User, **said: Any) -> "Verdict":
        """Keep this verdict in place of the reviewer's earlier one, which stays among its changes."""
        with transaction.atomic():
            verdict, _ = cls.objects.update_or_create(stream=stream, reviewer=reviewer, defaults=said)
            VerdictChange.objects.create(verdict=verdict, **said)
            ReviewLock.objects.filter(stream=stream, reviewer=reviewer).delete()
        return verdict


class VerdictChange(models.Model):
    """One state of a verdict: what was filed, and when."""

    verdict = models.ForeignKey(Verdict, models.CASCADE, related_name="changes")
    at = models.DateTimeField(auto_now_add=True)
    score = models.PositiveSmallIntegerField(null=True)
    rubric = models.JSONField(default=dict)
    tags = models.JSONField(default=list)
    note = models.TextField(blank=True)
    flagged = models.BooleanField(default=False)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.verdict_id} at {self.at}"


class ReviewLock(models.Model):
    """Who reviews an answer now, until when."""

    stream = models.OneToOneField(Stream, models.CASCADE, primary_key=True, related_name="review_lock")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.stream_id}: {self.reviewer_id} until {self.until}"

    @classmethod
    def take(cls, stream_id: UUID, reviewer: User) -> "ReviewLock | None":
        """Make the answer this reviewer's own for `LOCKED`; None where it is, else the lock of whoever has it."""
        now = timezone.now()
        free = cls.objects.filter(Q(reviewer=reviewer) | Q(until__lte=now), stream=stream_id)
        if free.update(reviewer=reviewer, until=now + LOCKED):
            return None
        try:
            with transaction.atomic():
                cls.objects.create(stream_id=stream_id, reviewer=reviewer, until=now + LOCKED)
        except IntegrityError:
            return cls.objects.select_related("reviewer").get(stream=stream_id)
        return None


class StreamRerun(models.Model):
    """A stream that asked again what another one had asked (`rerun_stream`)."""

    stream = models.OneToOneField(Stream, models.CASCADE, primary_key=True, related_name="rerun")
    original = models.ForeignKey(Stream, models.CASCADE, related_name="reruns")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.stream_id} of {self.original_id}"


class PairVerdict(models.Model):
    """Which of two answers a reviewer found better, without having been told whose they were. Written and read, never
    changed: the newest of a reviewer on a pair is the one that counts. `one` has the lesser id of the two."""

    class Outcome(models.TextChoices):
        """What was found."""

        ONE = "one", "the first is better"
        OTHER = "other", "the second is better"
        TIE = "tie", "both are as good"
        BAD = "bad", "both are bad"

    one = models.ForeignKey(Stream, models.CASCADE, related_name="+", db_index=False)  # in the index below
    other = models.ForeignKey(Stream, models.CASCADE, related_name="+")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=5, choices=Outcome)
    one_was_left = models.BooleanField()
    note = models.TextField(blank=True, max_length=LONGEST_NOTE)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        default_permissions = ()  # those of verdicts
        indexes = (models.Index(fields=("one", "other")),)

    def __str__(self) -> str:
        return f"{self.outcome} by {self.reviewer_id}"
