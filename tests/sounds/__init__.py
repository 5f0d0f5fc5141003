"""Sounds for tests: a tone of 0.4 s at 16 kHz, as libsndfile 1.2 writes it, with a title and a comment in each file.

`wav` makes one here; `AAC` are two ADTS frames of nothing.
"""

import struct
from pathlib import Path

HERE = Path(__file__).parent
SECRET = b"GPS-52.5200-13.4050"
"""The title of every file."""
MP3, FLAC, OPUS, VORBIS = ((HERE / name).read_bytes() for name in ("tone.mp3", "tone.flac", "opus.ogg", "vorbis.ogg"))
AAC = (bytes.fromhex("fff16040021ffc") + bytes(9)) * 2


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a RIFF file."""
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def wav(samples: int = 1600, rate: int = 16_000, tag: int = 1, bits: int = 16, title: bytes = SECRET) -> bytes:
    """A mono WAV of silence, with a title before its samples and another chunk behind them."""
    form = struct.pack("<HHIIHH", tag, 1, rate, rate * bits // 8, bits // 8, bits)
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", title))
    data = chunk(b"data", bytes(samples * bits // 8))
    body = b"WAVE" + chunk(b"fmt ", form) + info + data + chunk(b"junk", title)
    return b"RIFF" + struct.pack("<I", len(body)) + body
