"""Web Push as the operator has turned it on: a key and whom push services may write to (`make_push_keys`)."""

import base64
import re

from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ImproperlyConfigured

KEY = re.compile(r"[\w-]{43}", re.ASCII)
CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://[^\s/]+\.[^\s]+")
MEND = "run `manage.py make_push_keys`, which prints both."


def push(key: str, contact: str) -> tuple[str, str]:
    """Both, or both empty; ImproperlyConfigured where one is missing or of another form."""
    if bool(key) != bool(contact):
        missing = "WONDERCAM_PUSH_KEY" if contact else "WONDERCAM_PUSH_CONTACT"
        raise ImproperlyConfigured(f"{missing} is not set, and Web Push needs it: {MEND}")
    if key and not is_key(key):
        raise ImproperlyConfigured(f"WONDERCAM_PUSH_KEY is no key of 32 bytes in base64url: {MEND}")
    if contact and not CONTACT.fullmatch(contact):
        raise ImproperlyConfigured(f"WONDERCAM_PUSH_CONTACT is {contact!r}: write mailto:you@example.com or https://….")
    return key, contact


def is_key(text: str) -> bool:
    """Whether it is a number that P-256 takes as a private key."""
    if not KEY.fullmatch(text):
        return False
    try:
        ec.derive_private_key(int.from_bytes(base64.urlsafe_b64decode(f"{text}="), "big"), ec.SECP256R1())
    except ValueError:
        return False
    return True
