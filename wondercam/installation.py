"""What this installation is, a checkout or the wheel, and where its files are.

checkout   templates/, static/ and the npm packages, collected in staticfiles/; `.env` and data/ beside wondercam/
wheel      bundled/templates and bundled/static, collected when the wheel was made; `.env` and the data in the
           platform's folder for what programs keep (`platformdirs`: on Linux ~/.local/share/wondercam)
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
"""What people type to run a command."""


def needs(package: str, extra: str, variable: str) -> None:
    """ImproperlyConfigured where a package of an extra is missing, with how to install it."""
    if find_spec(package) is None:
        how = f"install it by `pip install 'wondercam[{extra}]'`, or leave {variable} out."
        raise ImproperlyConfigured(f"{variable} needs the package {package}, which is not here: {how}")
