"""The pages of the user's own account: overview, export of all data, deletion."""

from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django import forms
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.generic import FormView

from chat import limits
from chat.models import User
from chat.process import this_process
from chat.protocol.errors import ApiError
from chat.views import me


@require_safe
@login_required(login_url="accounts:signin")
async def own(request: HttpRequest) -> HttpResponse:
    """`/accounts/`: the overview."""
    return await sync_to_async(_own)(request)


def _own(request: HttpRequest) -> HttpResponse:
    today = me.described(int(request.user.pk or 0))["today"]
    today = {name: f"{value:,}" if isinstance(value, int) else value for name, value in today.items()}
    return render(request, "accounts/own.html", {"today": today, "signup_is_open": settings.SIGNUP == "open"})


@require_safe
@login_required(login_url="accounts:signin")
async def export(request: HttpRequest) -> HttpResponseBase:
    """`/accounts/export/`: as `GET /v2/me/export`."""
    user: Any = await request.auser()
    try:
        return me.exported(request, user)
    except ApiError as error:
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return HttpResponse(error.message, content_type="text/plain", status=error.code, headers=headers)


class DeleteForm(forms.Form):
    """Asks for the password, if the account has one."""

    password = forms.CharField(label=_("Your password"), strip=False, widget=forms.PasswordInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        if not user.has_usable_password():
            del self.fields["password"]

    def clean(self) -> None:
        """Refuse a wrong password, and the account of a reviewer."""
        if self._user.is_staff:
            raise forms.ValidationError(me.OF_STAFF)
        if "password" in self.cleaned_data and not self._user.check_password(self.cleaned_data["password"]):
            self.add_error("password", _("This is not your password."))


class Delete(LoginRequiredMixin, FormView):  # type: ignore[type-arg]
    """`/accounts/delete/`: as `DELETE /v2/me`."""

    template_name = "accounts/delete.html"
    form_class = DeleteForm
    success_url = reverse_lazy("page")

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form's user."""
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form: DeleteForm) -> HttpResponse:
        """Delete the account on the server's event loop, to which the log belongs."""
        user: Any = self.request.user
        async_to_sync(me.end)(this_process(), user, limits.address(self.request))
        logout(self.request)
        return super().form_valid(form)
