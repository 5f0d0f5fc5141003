"""Settings of django-allauth: single sign-on by OpenID Connect (`WONDERCAM_OIDC_…`), and the tables of second factors
(`WONDERCAM_SECOND_FACTOR`).

Only the sign-in at one provider is enabled. allauth's own pages, for passwords, e-mail addresses, connections and
codes, have no URLs.
"""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from wondercam.installation import needs

SIGN_ON = ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
SECOND_FACTOR = ["allauth.mfa"]
MIDDLEWARE = "allauth.account.middleware.AccountMiddleware"
PROVIDER = "sso"
"""The id in the URLs: `/accounts/oidc/sso/login/callback/` is the redirect URI to register at the provider."""


def apps(*, sign_on: bool, second_factor: bool) -> list[str]:
    """Return the apps of allauth for the enabled features; [] if both are off."""
    if second_factor:
        needs("qrcode", "sso", "WONDERCAM_SECOND_FACTOR")
    found = [*(SIGN_ON if sign_on else []), *(SECOND_FACTOR if second_factor else [])]
    return ["allauth", "allauth.account", *found] if found else []


def providers(url: str, client: str, secret: str, name: str) -> dict[str, Any]:
    """Return allauth's SOCIALACCOUNT_PROVIDERS; {} if `url` is "". Raises ImproperlyConfigured if a setting is missing
    or invalid."""
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ImproperlyConfigured("WONDERCAM_OIDC_URL is not an address: write one such as https://id.example.com.")
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
