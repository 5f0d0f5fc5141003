"""The head of a GGUF file: what a model, or the projector that gives it eyes, says of itself before its tensors.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: the magic, a version, two counts, then keys with values. The
vocabulary, which is most of a head, comes last and is not read.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"
VERSIONS = (2, 3)
PROJECTOR = "clip"
"""The architecture that every projector's file names, whatever it is a projector of."""
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9
MOST_KEYS, MOST_CHARACTERS, MOST_ITEMS = 10_000, 2**20, 2**22
VOCABULARY = "tokenizer."
OLD_PROJECTOR = "clip.has_llava_projector"


class NotGGUF(ValueError):
    """The file is none, or is broken."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """`width` is the length of a token's vector: what a model takes, or what a projector makes of a picture; None where
    the file does not say it. `sees` is only said by a projector."""

    architecture: str
    width: int | None
    sees: bool = False

    @property
    def is_projector(self) -> bool:
        """Whether it is no model by itself."""
        return self.architecture == PROJECTOR


def head_of(path: Path) -> GgufHeader:
    """The head of a file. Raises NotGGUF, and OSError where it cannot be read."""
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise NotGGUF
        try:
            return head_from(values_in(file))
        except (struct.error, UnicodeDecodeError, KeyError, OverflowError, RecursionError):
            raise NotGGUF from None


def head_from(values: dict[str, Any]) -> GgufHeader:
    """What the values come to."""
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise NotGGUF
    if architecture != PROJECTOR:
        return GgufHeader(architecture, whole(values.get(f"{architecture}.embedding_length")))
    width = whole(values.get("clip.vision.projection_dim"))
    # Files of before 2025 have the width of the picture's encoder under that name, which says nothing of the model.
    return GgufHeader(
        architecture, None if OLD_PROJECTOR in values else width, bool(values.get("clip.has_vision_encoder"))
    )


def whole(value: Any) -> int | None:
    """A whole number above 0."""
    return value if isinstance(value, int) and value > 0 else None


def values_in(file: BinaryIO) -> dict[str, Any]:
    """The keys with their values up to the vocabulary; arrays are passed over."""
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
    """One value; None for an array."""
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
    """A length, and so many bytes of UTF-8."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > MOST_CHARACTERS:
        raise NotGGUF
    found = file.read(length)
    if len(found) < length:
        raise NotGGUF
    return found.decode()
