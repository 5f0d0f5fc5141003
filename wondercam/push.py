"""Parses the settings of Web Push: the site's key, and a contact for push services (see `make_push_keys`)."""

import base64
import re

from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ImproperlyConfigured

KEY = re.compile(r"[\w-]{43}", re.ASCII)
CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://[^\s/]+\.[^\s]+")
MEND = "run `manage.py make_push_keys`, which prints both."


def push(key: str, contact: str) -> tuple[str, str]:
    """Return key and contact, or ("", ""). Raises ImproperlyConfigured if one of them is missing or invalid."""
    if bool(key) != bool(contact):
        missing = "WONDERCAM_PUSH_KEY" if contact else "WONDERCAM_PUSH_CONTACT"
        raise ImproperlyConfigured(f"{missing} is not set, and Web Push needs it: {MEND}")
    if key and not is_key(key):
        raise ImproperlyConfigured(f"WONDERCAM_PUSH_KEY is no key of 32 bytes in base64url: {MEND}")
    if contact and not CONTACT.fullmatch(contact):
        raise ImproperlyConfigured(f"WONDERCAM_PUSH_CONTACT is {contact!r}: write mailto:you@example.com or https://….")
    return key, contact


def is_key(text: str) -> bool:
    """Whether the text is a private key of P-256: 32 bytes in base64url."""
    if not KEY.fullmatch(text):
        return False
    try:
        ec.derive_private_key(int.from_bytes(base64.urlsafe_b64decode(f"{text}="), "big"), ec.SECP256R1())
    except ValueError:
        return False
    return True
