"""Parses the header of a GGUF file, which describes a model, or the projector that encodes images for it.

Format: magic, version, two counts, then keys with values (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
Parsing stops at the vocabulary, which is most of a header and comes last.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"
VERSIONS = (2, 3)
PROJECTOR = "clip"
"""The architecture in the file of every projector, whatever its model is."""
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9
MOST_KEYS, MOST_CHARACTERS, MOST_ITEMS = 10_000, 2**20, 2**22
VOCABULARY = "tokenizer."
OLD_PROJECTOR = "clip.has_llava_projector"


class NotGGUF(ValueError):
    """The file is not GGUF, or is damaged."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The header's fields that WonderCam needs. `width` is the length of a token's vector, of a model's input or a
    projector's output; None if the file does not have it. `sees`: whether a projector encodes images."""

    architecture: str
    width: int | None
    sees: bool = False

    @property
    def is_projector(self) -> bool:
        """Whether the file is a projector, not a model."""
        return self.architecture == PROJECTOR


def head_of(path: Path) -> GgufHeader:
    """Read the header of a file. Raises NotGGUF, and OSError if it cannot be read."""
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise NotGGUF
        try:
            return head_from(values_in(file))
        except (struct.error, UnicodeDecodeError, KeyError, OverflowError, RecursionError):
            raise NotGGUF from None


def head_from(values: dict[str, Any]) -> GgufHeader:
    """Return the header for these keys and values. Raises NotGGUF without an architecture."""
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise NotGGUF
    if architecture != PROJECTOR:
        return GgufHeader(architecture, whole(values.get(f"{architecture}.embedding_length")))
    width = whole(values.get("clip.vision.projection_dim"))
    # Files from before 2025 have the width of the image encoder under that name, which does not depend on the model.
    return GgufHeader(
        architecture, None if OLD_PROJECTOR in values else width, bool(values.get("clip.has_vision_encoder"))
    )


def whole(value: Any) -> int | None:
    """Return a positive integer; None for other values."""
    return value if isinstance(value, int) and value > 0 else None


def values_in(file: BinaryIO) -> dict[str, Any]:
    """Return the keys with their values, up to the vocabulary; arrays are skipped, as None."""
    version, _, count = struct.unpack("<IQQ", file.read(20))
    if version not in VERSIONS or count > MOST_KEYS:
        raise NotGGUF
    values: dict[str, Any] = {}
    for _ in range(count):
        key = text(file)
        if key.startswith(VOCABULARY):
            break
        (kind,) = struct.unpack("<I", file.read(4))
        values[key] = value_of(file, kind)
    return values


def value_of(file: BinaryIO, kind: int) -> Any:
    """Return the next value of this type; None for an array."""
    if kind == TEXT:
        return text(file)
    if kind == ARRAY:
        item, count = struct.unpack("<IQ", file.read(12))
        if count > MOST_ITEMS:
            raise NotGGUF
        if item in (TEXT, ARRAY):
            for _ in range(count):
                value_of(file, item)
        else:
            file.seek(count * struct.calcsize(f"<{NUMBERS[item]}"), 1)
        return None
    form = f"<{NUMBERS[kind]}"
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def text(file: BinaryIO) -> str:
    """Return the next string: a length, then so many bytes of UTF-8."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > MOST_CHARACTERS:
        raise NotGGUF
    found = file.read(length)
    if len(found) < length:
        raise NotGGUF
    return found.decode()
