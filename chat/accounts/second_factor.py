"""A second factor: codes of an app (TOTP, RFC 6238), and codes on paper for when the app is lost. By django-allauth.

Importable where `WONDERCAM_SECOND_FACTOR` is on: only then its tables are there. What is used of the library beside its
models are `totp.internal` and `recovery_codes.internal`, whose names it does not promise: its own pages need its own
sign-in. A code works once for all processes, because the row that says so is locked; the library's own note of it is
in the memory of one process.
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
"""In the row's data: the code that was taken last. One is valid for 30 seconds, so no other needs to be known."""


SEALED = "sealed:"
"""Before a secret that is sealed; those from before that lie in the database as they are, until they are made anew."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's, without the code that it asks for after a single sign-on, since the review asks for it; and with its
    secrets sealed."""

    def encrypt(self, text: str) -> str:
        """As it is kept: whoever has the database and not SECRET_KEY reads neither the app's secret nor the codes'."""
        return SEALED + sealing().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """As it was. InvalidToken where it was sealed with another SECRET_KEY."""
        if not encrypted_text.startswith(SEALED):
            return encrypted_text
        return sealing().decrypt(encrypted_text.removeprefix(SEALED)).decode()

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        """To its sign-in nobody has a second factor."""
        return False


def sealing() -> Fernet:
    """What seals secrets, by a key that SECRET_KEY alone gives."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"chat.accounts.second_factor", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))


def of(user_id: int) -> Any:
    """The row of the user's app; None where there is none."""
    return Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.TOTP).first()


def new_secret() -> str:
    """160 random bits in base32, for the app."""
    return str(generate_totp_secret())


def address_for_app(user: User, secret: str) -> tuple[str, str]:
    """What the app needs as an `otpauth:` address, and the picture of it as SVG."""
    adapter = get_adapter()
    address = adapter.build_totp_url(user, secret)
    return address, adapter.build_totp_svg(address)


@transaction.atomic
def set_up(user: User, secret: str, code: str, address: str = "") -> Any:
    """The new row, once the app has shown that it knows the secret; None where it has not, or another one is there."""
    if not validate_totp_code(secret, bare(code)) or of(user.pk):
        return None
    row = TOTP.activate(user, secret).instance
    row.data[LAST_CODE] = bare(code)
    row.save(update_fields=["data"])
    audit.record(audit.Action.FACTOR_ON, who=user, target=f"account {user.pk}, {user.get_username()}", address=address)
    return row


def takes(user: User, code: str) -> bool:
    """Whether it is a code of the app, or one on paper, that was not used before. None is after a new SECRET_KEY."""
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
    is_new = row.data.get(LAST_CODE) != bare(code)
    if validate_totp_code(decrypt(row.data["secret"]), bare(code)):
        row.data[LAST_CODE] = bare(code)
        row.save(update_fields=["data"])
        return bool(is_new)
    papers = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return papers is not None and bool(RecoveryCodes(papers).validate_code(bare(code)))


@transaction.atomic
def new_codes_on_paper(user: User) -> list[str]:
    """Ten new ones, each for once; the old ones end."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    return list(RecoveryCodes.activate(user).get_unused_codes())


def codes_on_paper_left(user: User) -> int:
    """How many of them were not used."""
    papers = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(papers).get_unused_codes()) if papers else 0


@transaction.atomic
def remove(user: User, *, who: User | None = None, address: str = "") -> bool:
    """Take the app and the codes on paper off the account; whether there were any."""
    if not Authenticator.objects.filter(user=user).delete()[0]:
        return False
    audit.record(audit.Action.FACTOR_OFF, who=who, target=f"account {user.pk}, {user.get_username()}", address=address)
    return True


def bare(code: str) -> str:
    """As it is checked: without the spaces that apps show."""
    return "".join(code.split())
