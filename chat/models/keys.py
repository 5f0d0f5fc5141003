"""Personal API keys, by which a user's scripts authenticate."""

from typing import Any

from django.db import models

from chat.models.accounts import OwnedQuerySet, User
from chat.protocol import ids


class ApiKey(models.Model):
    """One key of one account. Only its digest and its first characters are stored."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key, in hex.")
    hint = models.CharField(max_length=12, help_text="The key's first characters, to know it by.")
    scopes = models.CharField(max_length=40, help_text="What it may do, separated by spaces.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the hour.")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def as_json(self) -> dict[str, Any]:
        """The key as the API returns it to its owner."""
        return {
            "id": self.id,
            "name": self.name,
            "hint": self.hint,
            "scopes": self.scopes.split(),
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "last_used_at": self.last_used_at,
        }
