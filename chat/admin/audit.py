"""The admin of the audit log."""

from django.contrib import admin

from chat.admin.lists import ReadOnlyList
from chat.models import AuditEntry


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyList):
    """A read-only list of the audit log's entries."""

    list_display = ("at", "action", "name", "target", "address", "why")
    list_filter = ("action", "at")
    search_fields = ("name", "target", "address", "why")
    list_select_related = ("who",)
