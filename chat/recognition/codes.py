"""The texts of QR codes and bar codes, with zxing-cpp if it is installed. No link in them is opened."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

MOST, MOST_CHARACTERS = 5, 1000


class Code(NamedTuple):
    """A code: its kind, such as `QR Code` or `EAN-13`, and its text."""

    kind: str
    text: str


Finder = Callable[[Image.Image], list[Code]]


def finder() -> Finder | None:
    """Return a function that finds the codes in a photo; None without zxing-cpp."""
    if importlib.util.find_spec("zxingcpp") is None:
        return None
    zxing = importlib.import_module("zxingcpp")

    def find(photo: Image.Image) -> list[Code]:
        found = [
            Code(str(each.format), each.text[:MOST_CHARACTERS]) for each in zxing.read_barcodes(photo) if each.text
        ]
        return list(dict.fromkeys(found))[:MOST]

    return find
