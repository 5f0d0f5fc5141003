"""Users (people with an account, and guests), and the tickets that they get."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import F
from django.utils import timezone

from chat.protocol.errors import NotFound, Unauthenticated

RESUME_AFTER_END = timedelta(minutes=10)
"""How long after its stream's end a ticket still resumes it, for a reader that was disconnected during the end."""

BAD_TICKET = "The ticket is unknown, expired or already used: get a new one from /v2/tickets."


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows that belong to a user."""

    def for_user(self, user_id: int | None) -> Self:
        """Only the rows of this user."""
        return self.filter(user_id=user_id)

    async def aget_or_404(self, pk: Any) -> Any:
        """The row with this id. NotFound for any other id, so that foreign and unknown ids look the same."""
        found = await self.filter(pk=pk).afirst()
        if found is None:
            raise NotFound(f"There is no such {self.model._meta.verbose_name}.")
        return found


class AccountQuerySet(models.QuerySet["User"]):
    """Accounts, many at a time."""

    def update(self, **changes: Any) -> int:
        """Also revoke the tokens of accounts with a new password, or that are disabled: Django sends no signal here.

        `bulk_update` calls this too. If `is_active` is set to an expression, the tokens of all rows are revoked.
        """
        disables = "is_active" in changes and changes["is_active"] is not True
        if disables or "password" in changes:
            changes.setdefault("token_version", F("token_version") + 1)
        return super().update(**changes)

    update.alters_data = True  # type: ignore[attr-defined]  # a template must not call it


class AccountManager(UserManager["User"]):
    """Django's, over `AccountQuerySet`."""

    use_in_migrations = False

    def get_queryset(self) -> AccountQuerySet:
        """All accounts."""
        return AccountQuerySet(self.model, using=self._db)


class User(AbstractUser):
    """A person with an account, or a guest without one. Raising `token_version` ends every token given out so far.

    `network` is a keyed digest of a guest's network: the guests of one network share its limits. `claims` is not a
    column: it has the claims of the request's token, for later checks whether that is still valid
    (`chat/accounts/tokens.py`).
    """

    is_guest = models.BooleanField(default=False)
    token_version = models.PositiveIntegerField(default=0)
    network = models.CharField(max_length=32, default="", blank=True, editable=False)

    objects: ClassVar[AccountManager] = AccountManager()
    claims: Any = None

    def end_tokens(self) -> None:
        """Refuse every token and ticket given to this user so far, in every process, from the next request on."""
        type(self).objects.filter(pk=self.pk).update(token_version=F("token_version") + 1)
        self.refresh_from_db(fields=["token_version"])


class Ticket(models.Model):
    """A native EventSource's key: starts one stream within its 30 s, afterwards only resumes that stream.

    It ends with the sign-in that it was given to: `family` and `version` are those of the token that asked for it.
    """

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the ticket, in hex.")
    user = models.ForeignKey(User, models.CASCADE, related_name="tickets")
    family = models.CharField(max_length=64, default="")
    version = models.PositiveIntegerField(default=0)
    stream = models.ForeignKey("chat.Stream", models.CASCADE, null=True, blank=True, related_name="tickets")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:8]

    def is_open(self, now: datetime) -> bool:
        """Whether it may start its stream; or resume it, while that runs and for a while after its end."""
        if self.stream is None:
            return self.expires_at > now
        return self.stream.ended_at is None or self.stream.ended_at > now - RESUME_AFTER_END

    def bind(self, stream_id: UUID) -> None:
        """Bind it to the stream that it starts, in that stream's transaction. Unauthenticated if it was used before."""
        free = Ticket.objects.filter(pk=self.pk, stream=None, expires_at__gt=timezone.now())
        if not free.update(stream_id=stream_id):
            raise Unauthenticated(BAD_TICKET)

    @classmethod
    def prune(cls, user_id: int, now: datetime) -> None:
        """Delete the user's expired tickets, unused ones and those of streams that ended long ago."""
        own = cls.objects.filter(user_id=user_id)
        own.filter(stream=None, expires_at__lt=now).delete()
        own.filter(stream__ended_at__lt=now - RESUME_AFTER_END).delete()
