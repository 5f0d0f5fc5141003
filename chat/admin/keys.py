"""The admin of personal API keys: whose there are, when they were used, and their end."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chat import limits
from chat.accounts import keys
from chat.admin.lists import BoundedList
from chat.models import ApiKey


@admin.register(ApiKey)
class KeyAdmin(BoundedList):
    """Lists keys and deletes them; only their owners make them. Of a key only its first characters are known."""

    list_display = ("name", "user", "hint", "scopes", "created_at", "last_used_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "name", "hint")
    ordering = ("-pk",)
    exclude = ("digest",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        """End the key, and what runs by it."""
        keys.end_for(request.user, obj, limits.address(request))  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End each of the keys."""
        for key in queryset.select_related("user"):
            self.delete_model(request, key)
