"""The verdicts of reviewers on answers, with their history and the locks of answers under review; and their verdicts on
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
"""The rubric: an answer meets each criterion or not, or it is not judged by it."""

LONGEST_NOTE = 4_000
LONGEST_TAG, MOST_TAGS = 40, 20

LOCKED = timedelta(minutes=15)
"""How long an answer is locked for a reviewer after they last opened it."""


class Verdict(models.Model):
    """One reviewer's verdict on one answer. `changes` has every version of it."""

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
        """Store the reviewer's verdict in place of an earlier one, which stays in `changes`, and release the lock."""
        with transaction.atomic():
            verdict, _ = cls.objects.update_or_create(stream=stream, reviewer=reviewer, defaults=said)
            VerdictChange.objects.create(verdict=verdict, **said)
            ReviewLock.objects.filter(stream=stream, reviewer=reviewer).delete()
        return verdict


class VerdictChange(models.Model):
    """One version of a verdict, with the time when it was filed."""

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
    """The lock of an answer for the reviewer who opened it, until it expires."""

    stream = models.OneToOneField(Stream, models.CASCADE, primary_key=True, related_name="review_lock")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.stream_id}: {self.reviewer_id} until {self.until}"

    @classmethod
    def take(cls, stream_id: UUID, reviewer: User) -> "ReviewLock | None":
        """Lock the answer for this reviewer for `LOCKED`. Returns None if that succeeded, else the other reviewer's
        lock."""
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
    """A stream that repeats the request of another one (`rerun_stream`)."""

    stream = models.OneToOneField(Stream, models.CASCADE, primary_key=True, related_name="rerun")
    original = models.ForeignKey(Stream, models.CASCADE, related_name="reruns")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.stream_id} of {self.original_id}"


class PairVerdict(models.Model):
    """Which of two answers a reviewer found better, without knowing their models. Rows are never changed: a reviewer's
    newest one on a pair counts. `one` is the stream with the lower id."""

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
