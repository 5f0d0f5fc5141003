"""`SoundTrack`, the result of the parsers of sounds, and their exceptions."""

from typing import NamedTuple


class SoundTrack(NamedTuple):
    """A sound without metadata: its MIME type, its length in seconds, its file."""

    mime_type: str
    seconds: float
    data: bytes


class DamagedSound(Exception):
    """The file is not valid in the format of its first bytes."""


class UnusableSound(Exception):
    """The file uses an unsupported feature of its format, which the message names."""
