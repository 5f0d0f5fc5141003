"""The audit log: who did what to whose account or data. Written and read, never changed; `prune_accounts` ends it."""

from django.db import models

from chat.models.accounts import User


class AuditEntry(models.Model):
    """One thing that was done. `name` is the user name of `who` at the time: it stays when the account is gone."""

    class Action(models.TextChoices):
        """What is written down."""

        READ = "read", "read somebody else's session"
        SIGNED_IN = "signed-in", "signed in"
        REUSED = "reused", "used a spent refresh token again"
        THROTTLED = "throttled", "tried to sign in too often"
        PASSWORD = "password", "changed a password"
        DISABLED = "disabled", "disabled an account"
        KEY_MADE = "key-made", "made an API key"
        KEY_ENDED = "key-ended", "ended an API key"
        DELETED = "deleted", "deleted the own account"
        FACTOR_ON = "factor-on", "set up a second factor"
        FACTOR_OFF = "factor-off", "removed a second factor"
        INVITED = "invited", "used an invitation"

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    action = models.CharField(max_length=10, choices=Action)
    who = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=150, blank=True)
    target = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=64, blank=True, help_text="IPv4, or the /64 of an IPv6 address.")
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.name or 'somebody'} {self.get_action_display()}"
