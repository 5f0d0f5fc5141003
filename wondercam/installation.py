"""The kind of installation, a checkout or the wheel, and the paths of its files.

checkout   templates/, static/ and the npm packages, collected in staticfiles/; `.env` and data/ beside wondercam/
wheel      bundled/templates and bundled/static, collected when the wheel was built; `.env` and the data in the user's
           data folder (`platformdirs`: on Linux ~/.local/share/wondercam)
"""

from importlib.util import find_spec
from pathlib import Path

import platformdirs
from django.core.exceptions import ImproperlyConfigured

BUNDLED = Path(__file__).resolve().parent / "bundled"
IS_WHEEL = BUNDLED.is_dir()
BASE_DIR = BUNDLED if IS_WHEEL else BUNDLED.parent.parent
"""The folder of `templates/` and `requirements-model.txt`."""
HOME = platformdirs.user_data_path("wondercam", appauthor=False) if IS_WHEEL else BASE_DIR
"""The folder of `.env`."""
DATA = HOME if IS_WHEEL else HOME / "data"
"""The data folder, unless WONDERCAM_DATA_DIR names another."""
STATIC_ROOT = BUNDLED / "static" if IS_WHEEL else BASE_DIR / "staticfiles"
PROGRAM = "wondercam" if IS_WHEEL else "manage.py"
"""The program that runs commands, for messages."""


def needs(package: str, extra: str, variable: str) -> None:
    """Raise ImproperlyConfigured, with the command to install it, if a package of an extra is missing."""
    if find_spec(package) is None:
        how = f"install it by `pip install 'wondercam[{extra}]'`, or leave {variable} out."
        raise ImproperlyConfigured(f"{variable} needs the package {package}, which is not here: {how}")
