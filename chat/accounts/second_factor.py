"""A second factor: codes of an app (TOTP, RFC 6238), and recovery codes for when the app is lost. By django-allauth.

Import it only if `WONDERCAM_SECOND_FACTOR` is on: otherwise its tables do not exist. The library's own pages require
its own sign-in, so this module uses its models, and `totp.internal` and `recovery_codes.internal`, which may change
with any version. A code works once for all processes, because the last used one is stored in a locked row; the library
itself remembers it only in the memory of one process.
"""

import base64
import hmac
import logging
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.utils import decrypt
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import transaction

from chat.accounts import audit
from chat.models import User

log = logging.getLogger(__name__)

LAST_CODE = "wondercam_last_code"
"""The key of the last accepted code in the row's data. A code is valid for 30 seconds, so earlier ones need not be
stored."""

SEALED = "sealed:"
"""The prefix of an encrypted secret. Secrets that were stored before there was encryption have none, and stay readable
until they are replaced."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's adapter, with encrypted secrets. It does not ask for a code after a single sign-on: the review does."""

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for the database, which without SECRET_KEY then reveals neither the app's secret nor the
        recovery codes'."""
        return SEALED + cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a stored secret. InvalidToken if it was encrypted with another SECRET_KEY."""
        if not encrypted_text.startswith(SEALED):
            return encrypted_text
        return cipher().decrypt(encrypted_text.removeprefix(SEALED)).decode()

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        """False, so that allauth's own sign-in asks nobody for a code."""
        return False


def cipher() -> Fernet:
    """The cipher for secrets, whose key is derived from SECRET_KEY."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"chat.accounts.second_factor", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))


def of(user_id: int) -> Any:
    """The row of the user's app; None if the user has set up none."""
    return Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.TOTP).first()


def new_secret() -> str:
    """A new secret for an app: 160 random bits in base32."""
    return str(generate_totp_secret())


def address_for_app(user: User, secret: str) -> tuple[str, str]:
    """The `otpauth:` URI that sets the app up, and its QR code as SVG."""
    adapter = get_adapter()
    address = adapter.build_totp_url(user, secret)
    return address, adapter.build_totp_svg(address)


@transaction.atomic
def set_up(user: User, secret: str, code: str, address: str = "") -> Any:
    """Store the app's secret, and return the new row; None if the code is not valid or the user already has an app."""
    if not validate_totp_code(secret, without_spaces(code)) or of(user.pk):
        return None
    row = TOTP.activate(user, secret).instance
    row.data[LAST_CODE] = without_spaces(code)
    row.save(update_fields=["data"])
    audit.record(audit.Action.FACTOR_ON, who=user, target=f"account {user.pk}, {user.get_username()}", address=address)
    return row


def takes(user: User, code: str) -> bool:
    """Accept an unused code of the app, or an unused recovery code; False for any other, and for all codes once
    SECRET_KEY has changed."""
    try:
        return _takes(user, code)
    except InvalidToken:
        log.warning("the second factor of account %s was set up with another SECRET_KEY: remove_second_factor", user.pk)
        return False


@transaction.atomic
def _takes(user: User, code: str) -> bool:
    row = Authenticator.objects.select_for_update().filter(user=user, type=Authenticator.Type.TOTP).first()
    if row is None:
        return False
    code = without_spaces(code)
    is_new = row.data.get(LAST_CODE) != code
    if validate_totp_code(decrypt(row.data["secret"]), code):
        row.data[LAST_CODE] = code
        row.save(update_fields=["data"])
        return bool(is_new)
    recovery = recovery_of(user)
    return recovery is not None and bool(recovery.validate_code(code))


def recovery_of(user: User) -> RecoveryCodes | None:
    """The user's recovery codes; None if there are none."""
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return RecoveryCodes(row) if row else None


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Replace the user's recovery codes by ten new ones, each of which works once."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    return list(RecoveryCodes.activate(user).get_unused_codes())


def recovery_codes_left(user: User) -> int:
    """The number of the user's unused recovery codes."""
    recovery = recovery_of(user)
    return len(recovery.get_unused_codes()) if recovery else 0


@transaction.atomic
def remove(user: User, *, who: User | None = None, address: str = "") -> bool:
    """Remove the app and the recovery codes of an account; False if it had neither."""
    if not Authenticator.objects.filter(user=user).delete()[0]:
        return False
    audit.record(audit.Action.FACTOR_OFF, who=who, target=f"account {user.pk}, {user.get_username()}", address=address)
    return True


def without_spaces(code: str) -> str:
    """The code without the spaces that apps show in it."""
    return "".join(code.split())
