"""Recordings' files, opened."""

from pathlib import Path

from django.core.management.base import CommandError

from chat.attachments import most_bytes, name_of
from chat.management import carriers
from chat.protocol import recording
from chat.protocol.prompt import type_of
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


def media(name: str, read: Recording) -> dict[str, bytes]:
    """The photos and sounds that came with a recording's file, by the ids by which its question names them."""
    parts = read.header.get("question")
    said = [part for part in parts or () if isinstance(part, dict) and "attachment" in part]
    ids = {name_of(part["attachment"], type_of(part)): str(part["attachment"]) for part in said}
    with Path(name).open("rb") as file:
        found = carriers.media_of(file, ids, max(map(most_bytes, ("photo", "sound"))))
    return {ids[entry]: data for entry, data in found.items()}
