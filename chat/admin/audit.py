"""The audit log, to be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chat.admin.lists import BoundedList
from chat.models import AuditEntry


@admin.register(AuditEntry)
class AuditAdmin(BoundedList):
    """Who did what. Nobody changes it here, superusers neither."""

    list_display = ("at", "action", "name", "target", "address")
    list_filter = ("action", "at")
    search_fields = ("name", "target", "address")
    list_select_related = ("who",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: it is written by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
