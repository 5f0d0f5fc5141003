"""Browsers that want to be told of an answer while nobody looks at the page (`chat/push/`)."""

from django.db import models

from chat.models.accounts import OwnedQuerySet, User


class PushSubscription(models.Model):
    """One browser, as its push service knows it (RFC 8030). It counts as long as the sign-in that made it.

    `told` is the place in the user's feed up to which it was told, or somebody has looked.
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
