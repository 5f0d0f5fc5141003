"""django-allauth: single sign-on by OpenID Connect (`WONDERCAM_OIDC_…`), off unless a provider is named, and the tables
of second factors (`WONDERCAM_SECOND_FACTOR`).

What is on is the sign-in at one provider; allauth's own pages, for passwords, addresses, connections and codes, have no
route.
"""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from wondercam.installation import needs

SIGN_ON = ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
SECOND_FACTOR = ["allauth.mfa"]
MIDDLEWARE = "allauth.account.middleware.AccountMiddleware"
PROVIDER = "sso"
"""As its addresses name it: `/accounts/oidc/sso/login/callback/` is what the provider must be told."""


def apps(*, sign_on: bool, second_factor: bool) -> list[str]:
    """The apps of allauth that these need; none where both are off."""
    if second_factor:
        needs("qrcode", "sso", "WONDERCAM_SECOND_FACTOR")
    found = [*(SIGN_ON if sign_on else []), *(SECOND_FACTOR if second_factor else [])]
    return ["allauth", "allauth.account", *found] if found else []


def providers(url: str, client: str, secret: str, name: str) -> dict[str, Any]:
    """allauth's SOCIALACCOUNT_PROVIDERS; empty where none is named. ImproperlyConfigured says what is missing."""
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ImproperlyConfigured("WONDERCAM_OIDC_URL is no address: write one such as https://id.example.com.")
    if not client or not secret:
        needed = "WONDERCAM_OIDC_CLIENT_ID and WONDERCAM_OIDC_CLIENT_SECRET"
        raise ImproperlyConfigured(f"WONDERCAM_OIDC_URL needs {needed}: the provider gives them to its clients.")
    needs("allauth", "sso", "WONDERCAM_OIDC_URL")
    app = {
        "provider_id": PROVIDER,
        "name": name,
        "client_id": client,
        "secret": secret,
        "settings": {"server_url": url},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
