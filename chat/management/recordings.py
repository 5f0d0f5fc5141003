"""Recordings' files, opened."""

from pathlib import Path

from django.core.management.base import CommandError

from chat.protocol import recording
from chat.protocol.recording import Recording


def load(name: str) -> Recording:
    """Read a recording's file; CommandError where it cannot be read at all."""
    try:
        with Path(name).open("rb") as file:
            return recording.load(file)
    except FileNotFoundError:
        raise CommandError(f"There is no file {name}.") from None
    except (OSError, ValueError) as wrong:
        raise CommandError(f"{name} cannot be read: {getattr(wrong, 'strerror', None) or wrong}.") from None
