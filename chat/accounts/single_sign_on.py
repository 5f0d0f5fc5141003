"""Single sign-on, by django-allauth: everybody whom the identity provider accepts gets an account here."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.http import HttpRequest
from django.shortcuts import redirect

from chat.accounts import guests
from chat.models import User

GUEST = "wondercam_guest"
"""The key of the guest's id in the state of a sign-in: allauth signs the guest out before it creates the account."""


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's adapter: it signs in and creates accounts, and connects nothing to an account that is signed in."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """True: WONDERCAM_SIGNUP does not restrict single sign-on, because the provider decides who is accepted."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Refuse to connect a login to the signed-in account, which another site's link could trigger (CSRF)."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(redirect("page"))
        if sociallogin.is_existing:
            guests.take_along(request.user, sociallogin.user)
        sociallogin.state[GUEST] = None if sociallogin.is_existing else request.user.pk

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """Create the account at the first sign-in, and move the chats of the browser's guest to it."""
        account = super().save_user(request, sociallogin, form)
        guests.take_along(User.objects.filter(pk=sociallogin.state.get(GUEST)).first(), account)
        return account
