"""Who comes in by single sign-on: everybody whom the provider lets in, with an account of their own here."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.http import HttpRequest
from django.shortcuts import redirect

from chat.accounts import guests
from chat.models import User

GUEST = "wondercam_guest"
"""In the state of a sign-in: who the browser was. allauth signs that user out before it makes the account."""


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's, by our rules."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Yes: whom the provider lets in belongs here, whatever WONDERCAM_SIGNUP says of strangers."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Only signs in. To connect an account that is signed in, a link of another site would be enough."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(redirect("page"))
        if sociallogin.is_existing:
            guests.take_along(request.user, sociallogin.user)
        sociallogin.state[GUEST] = None if sociallogin.is_existing else request.user.pk

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """Make the account of somebody who comes for the first time; the chats of the guest that they were go to it."""
        account = super().save_user(request, sociallogin, form)
        guests.take_along(User.objects.filter(pk=sociallogin.state.get(GUEST)).first(), account)
        return account
