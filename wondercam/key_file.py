"""A key that is generated at the first start and stored in the data folder."""

import fcntl
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

LEAST_BYTES = 32
MINE = 0o600


def stored_key(file: Path) -> str:
    """Return the key in `file`, which is generated if there is none. Raises ImproperlyConfigured."""
    try:
        if not file.exists():
            create(file)
        key = file.read_bytes()
    except OSError as wrong:
        sentence = f"WONDERCAM_DATA_DIR is {file.parent}, and {file.name} cannot be kept there: {wrong.strerror}."
        raise ImproperlyConfigured(sentence) from None
    if len(key) < LEAST_BYTES or not key.isascii():
        sentence = (
            f"{file} holds no key any more ({len(key)} bytes): put it back, or delete it to have another one made."
        )
        raise ImproperlyConfigured(sentence)
    return key.decode()


def create(file: Path) -> None:
    """Create the file with a new key, readable by its owner only.

    It gets its name with its whole content, so that neither a full disk nor a crash leaves half a key. Of two processes
    that start at once the second uses the key of the first.
    """
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not file.exists():
            new = file.with_suffix(".new")
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MINE), "w") as stream:
                stream.write(secrets.token_urlsafe(48))
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(file)
    finally:
        os.close(folder)
