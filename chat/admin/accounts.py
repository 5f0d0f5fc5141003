"""The admin of accounts."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from chat.accounts import audit
from chat.admin.lists import BoundedList
from chat.models import User


@admin.register(User)
class AccountAdmin(BoundedList, UserAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Activates and deactivates accounts. Only superusers grant rights. Accounts are not deleted here, because streams
    refer to them."""

    list_display = ("username", "email", "is_guest", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_guest", "is_staff", "is_superuser", "date_joined")
    actions = ("activate", "deactivate")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "first_name", "last_name")}),
        ("State", {"fields": ("is_active", "is_guest", "token_version", "date_joined", "last_login")}),
        ("Rights", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """For staff all fields except `is_active` and `is_guest`; for superusers those that the site maintains."""
        kept = ("token_version", "date_joined", "last_login")
        if _is_superuser(request):
            return kept
        return ("username", "email", "first_name", "last_name", "is_staff", "is_superuser", "groups",
                "user_permissions", *kept)  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Hide the password's hash from staff."""
        found = super().get_fieldsets(request, obj)
        if obj is None or _is_superuser(request):
            return found
        shown = [(name, [field for field in options["fields"] if field != "password"]) for name, options in found]
        return [(name, {"fields": fields}) for name, fields in shown]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Allow only superusers to set a password, since that gives access to the account."""
        if not _is_superuser(request):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Require the permission to change accounts, too, as Django's own page for a new account does."""
        return super().has_add_permission(request) and super().has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow only superusers to change the accounts of staff and superusers."""
        return super().has_change_permission(request, obj) and (
            obj is None or _is_superuser(request) or not (obj.is_superuser or obj.is_staff)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: accounts are deactivated instead."""
        return False

    @admin.action(description="Activate the chosen accounts", permissions=["change"])
    def activate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Activate the accounts."""
        count = self._changeable(request, chosen).update(is_active=True)
        self.message_user(request, f"{count} accounts are active.")

    @admin.action(description="Deactivate the chosen accounts and end their sessions", permissions=["change"])
    def deactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Deactivate the accounts except one's own, which invalidates all their tokens."""
        others = self._changeable(request, chosen).exclude(username=request.user.get_username())
        for account in others.filter(is_active=True):
            audit.record_disabled(request, account)
        count = others.update(is_active=False)
        self.message_user(request, f"{count} accounts are switched off.")

    def _changeable(self, request: HttpRequest, chosen: QuerySet[User]) -> QuerySet[User]:
        return chosen if _is_superuser(request) else chosen.filter(is_staff=False, is_superuser=False)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
