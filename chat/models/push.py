"""Browsers that are notified of answers while their page is not visible (`chat/push/`)."""

from django.db import models

from chat.models.accounts import OwnedQuerySet, User


class PushSubscription(models.Model):
    """One browser's subscription at its push service (RFC 8030). It is valid as long as the sign-in that created it.

    `told` is the id of the last line of the user's feed that the browser was notified of, or that was read elsewhere.
    """

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the endpoint, in hex.")
    user = models.ForeignKey(User, models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=2000)
    p256dh = models.CharField(max_length=100, help_text="The browser's public key, in base64url.")
    auth = models.CharField(max_length=30, help_text="The secret that it shares, in base64url.")
    family = models.CharField(max_length=64, db_index=True)
    version = models.PositiveIntegerField()
    told = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0, help_text="Of the newest messages, one after the other.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.digest[:8]
