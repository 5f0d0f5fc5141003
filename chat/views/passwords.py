"""The user's password and e-mail address, by Django's own views: changed while signed in, or reset by a link in a mail.

A request for a link gets the same answer, in the same time, whether or not the account exists: a thread sends the mail.
A new password ends all other sessions and all tokens (`accounts/signals.py`); the session in which it was changed
stays.
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
"""The session key of the account whose link was opened: by then the link is no longer in the address."""


class AccountsOnly(LoginRequiredMixin):
    """A view for people with an account. Guests, who have no password, are redirected to signing up."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, or for a guest the redirect."""
        if request.user.is_authenticated and request.user.is_guest:
            return redirect("accounts:signup")
        return super().dispatch(request, *args, **kwargs)


class PasswordChange(AccountsOnly, PasswordChangeView):
    """`/accounts/password/`: the old one, and the new one twice."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:own")


class EmailForm(forms.ModelForm):  # type: ignore[type-arg]
    """The address and the password, so that nobody at an open session can have a reset link sent to themselves."""

    password = forms.CharField(label=_("Your password"), strip=False, widget=forms.PasswordInput)

    class Meta:
        model = User
        fields = ("email",)

    def clean_password(self) -> str:
        """Refuse a wrong password."""
        password: str = self.cleaned_data["password"]
        if not self.instance.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password


class Email(AccountsOnly, FormView):  # type: ignore[type-arg]
    """`/accounts/email/`: the address for reset links."""

    template_name = "accounts/email.html"
    form_class = EmailForm
    success_url = reverse_lazy("accounts:own")

    def get_form_kwargs(self) -> dict[str, Any]:
        """A copy of the user: a refused form must not leave its changes on the request's user."""
        user: Any = self.request.user
        return {**super().get_form_kwargs(), "instance": User.objects.get(pk=user.pk)}

    def form_valid(self, form: EmailForm) -> HttpResponse:
        """Store the address."""
        form.save()
        return super().form_valid(form)


class ResetForm(PasswordResetForm):
    """Django's form, but a thread sends the mail: its duration would tell which addresses have an account."""

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send it in the thread; Django logs failures."""
        MAILS.submit(super().send_mail, *args, **kwargs)


class Reset(PasswordResetView):
    """`/accounts/reset/`: asks for the address."""

    template_name = "accounts/reset.html"
    form_class = ResetForm
    email_template_name = "accounts/reset_mail.txt"
    subject_template_name = "accounts/reset_subject.txt"
    success_url = reverse_lazy("accounts:reset-sent")


class ResetSent(PasswordResetDoneView):
    """`/accounts/reset/sent/`: the same page whether or not the account exists."""

    template_name = "accounts/reset_sent.html"


class NewPassword(PasswordResetConfirmView):
    """`/accounts/reset/new/?link=…`, which the mail links to. Logs have no query strings, so none has the link."""

    template_name = "accounts/reset_new.html"
    success_url = reverse_lazy("accounts:signin")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """With a link: store it in the session and redirect to the bare address, which shows the form or a refusal."""
        if link := request.GET.get("link"):
            account, _, token = link.partition(".")
            request.session[ACCOUNT_OF_LINK] = account
        else:
            account, token = request.session.get(ACCOUNT_OF_LINK, ""), self.reset_url_token
        return super().dispatch(request, uidb64=account, token=token)
