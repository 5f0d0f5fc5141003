"""What every reader of sounds gives, and how it says that it cannot."""

from typing import NamedTuple


class SoundTrack(NamedTuple):
    """A sound and nothing else: its type, its length in seconds, its file."""

    mime_type: str
    seconds: float
    data: bytes


class DamagedSound(Exception):
    """The file is not what its first bytes promise."""


class UnusableSound(Exception):
    """A file of this format that is not taken; says which."""
