"""One's password and e-mail address, in Django's own manner: changed while signed in, or reset by a link in a mail.

Who asks for a link is told the same, in the same time, whether there is such an account: mails are written by a thread.
A new password ends every session and token given out before (`accounts/signals.py`); the one who changed it while
signed in stays.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import (
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetDoneView,
    PasswordResetView,
)
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from chat.models import User

MAILS = ThreadPoolExecutor(1, "mail")
ACCOUNT_OF_LINK = "reset_account"
"""The session's name for whose link was opened: the link itself is gone from the address by then."""


class AccountsOnly(LoginRequiredMixin):
    """For people with an account: a guest has no password, and makes an account instead."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, or the one that a guest needs."""
        if request.user.is_authenticated and request.user.is_guest:
            return redirect("accounts:signup")
        return super().dispatch(request, *args, **kwargs)


class PasswordChange(AccountsOnly, PasswordChangeView):
    """`/accounts/password/`: the old one, and the new one twice."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:own")


class EmailForm(forms.ModelForm):  # type: ignore[type-arg]
    """The address, and the password: whoever sits at an open session must not send themselves a link."""

    password = forms.CharField(label=_("Your password"), strip=False, widget=forms.PasswordInput)

    class Meta:
        model = User
        fields = ("email",)

    def clean_password(self) -> str:
        """The right one."""
        password: str = self.cleaned_data["password"]
        if not self.instance.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password


class Email(AccountsOnly, FormView):  # type: ignore[type-arg]
    """`/accounts/email/`: where a link goes when the password is forgotten."""

    template_name = "accounts/email.html"
    form_class = EmailForm
    success_url = reverse_lazy("accounts:own")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Of a copy: a refused form must not leave its changes on the request's user."""
        user: Any = self.request.user
        return {**super().get_form_kwargs(), "instance": User.objects.get(pk=user.pk)}

    def form_valid(self, form: EmailForm) -> HttpResponse:
        """Keep it."""
        form.save()
        return super().form_valid(form)


class ResetForm(PasswordResetForm):
    """Django's, whose mails are written by a thread: their time would tell which addresses have an account."""

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Soon; what goes wrong is logged by Django."""
        MAILS.submit(super().send_mail, *args, **kwargs)


class Reset(PasswordResetView):
    """`/accounts/reset/`: to which address."""

    template_name = "accounts/reset.html"
    form_class = ResetForm
    email_template_name = "accounts/reset_mail.txt"
    subject_template_name = "accounts/reset_subject.txt"
    success_url = reverse_lazy("accounts:reset-sent")


class ResetSent(PasswordResetDoneView):
    """`/accounts/reset/sent/`: the same for everybody."""

    template_name = "accounts/reset_sent.html"


class NewPassword(PasswordResetConfirmView):
    """`/accounts/reset/new/?link=…`: where the link leads. It stands behind the `?`, which no log has."""

    template_name = "accounts/reset_new.html"
    success_url = reverse_lazy("accounts:signin")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """With a link: remember it and lead to the bare address. There: the form, or that the link is used up."""
        if link := request.GET.get("link"):
            account, _, token = link.partition(".")
            request.session[ACCOUNT_OF_LINK] = account
        else:
            account, token = request.session.get(ACCOUNT_OF_LINK, ""), self.reset_url_token
        return super().dispatch(request, uidb64=account, token=token)
