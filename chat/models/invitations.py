"""Invitations: where not everybody may sign up, a link that lets one person in, once."""

import hashlib
import secrets
from datetime import timedelta

from django.db import models
from django.utils import timezone

from chat.models.accounts import User


class Invitation(models.Model):
    """One account to be made before `expires_at`. Only the digest of its link's code is kept."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the link's code, in hex.")
    note = models.CharField(max_length=200, blank=True, help_text="Whom it is for.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.note or self.digest[:8]

    @classmethod
    def give(cls, lifetime: timedelta, note: str = "") -> str:
        """A new invitation's code: 128 random bits."""
        code = secrets.token_urlsafe(16)
        cls.objects.create(digest=digest(code), note=note, expires_at=timezone.now() + lifetime)
        return code

    @classmethod
    def find(cls, code: str) -> "Invitation | None":
        """The invitation of that code, as long as it can be used."""
        return cls.objects.filter(digest=digest(code), used_at=None, expires_at__gt=timezone.now()).first()

    def use(self, user: User) -> bool:
        """Let this user in; False for all but the first."""
        now = timezone.now()
        unused = Invitation.objects.filter(pk=self.pk, used_at=None, expires_at__gt=now)
        return bool(unused.update(used_at=now, used_by=user))


def digest(code: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
