"""Recordings' files, opened."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from chat.management import carriers
from chat.protocol import recording
from chat.protocol.recording import Recording


def load(name: str) -> Recording:
    """Read a recording's file, of any kind that `export_stream` writes; CommandError where it cannot be read at all."""
    try:
        with Path(name).open("rb") as file:
            return recording.load(carriers.lines_of(file))
    except FileNotFoundError:
        raise CommandError(f"There is no file {name}.") from None
    except (OSError, ValueError) as wrong:
        raise CommandError(f"{name} cannot be read: {getattr(wrong, 'strerror', None) or wrong}.") from None


def photos(name: str, read: Recording) -> dict[str, bytes]:
    """The photos that came with a recording's file, by the ids by which its question names them."""
    parts = read.header.get("question")
    ids = [str(part["attachment"]) for part in parts or () if isinstance(part, dict) and "attachment" in part]
    with Path(name).open("rb") as file:
        return carriers.photos_of(file, ids, settings.LIMITS["PHOTO_BYTES"])
