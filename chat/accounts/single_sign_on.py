"""Who comes in by single sign-on: everybody whom the provider lets in, with an account of their own here."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.http import HttpRequest
from django.shortcuts import redirect


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's, by our rules."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Yes: whom the provider lets in belongs here, whatever WONDERCAM_SIGNUP says of strangers."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Only signs in. To connect an account that is signed in, a link of another site would be enough."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(redirect("page"))
