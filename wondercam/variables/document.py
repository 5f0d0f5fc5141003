"""Generates `docs/settings.md` and `.env.example` from the declarations."""

from pathlib import Path

from wondercam.variables import SECTIONS

ROOT = Path(__file__).resolve().parent.parent.parent

HEAD = """\
# Settings

WonderCam is set by environment variables and by nothing else. They can also stand in a file `.env` beside `manage.py`
(with the wheel: in the platform's data folder), one `NAME=value` a line (`.env.example` lists them all); a variable of
the environment wins over the file, and a line that is no assignment stops the start.

An empty variable counts as unset. A value that cannot be used stops the start with a sentence that names the variable;
a name that nothing reads is a warning of `manage.py check` and of `serve`, with the name that was probably meant.
Switches take `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`; lists are separated by commas; sizes are in bytes.

On a machine of your own you need none of them: `make run` turns `DEBUG` on, for `manage.py` in that folder too, and
keys are made and kept in `data/`. The installed command `wondercam` needs none either.
In production set at least `SECRET_KEY`, `JWT_SIGNING_KEY` and `ALLOWED_HOSTS`.

(This page is made from `wondercam/variables/`: change it there, then run `.venv/bin/python -m wondercam.variables`.)
"""

EXAMPLE_HEAD = """\
# WonderCam's settings. Copy this file to `.env`, and remove the `# ` before what you change.
# docs/settings.md says what each one means. There is no usable key in this file: make your own.
"""

TABLE = "| variable | default | meaning | wrong values |\n| --- | --- | --- | --- |\n"


def settings_page() -> str:
    """Return the text of docs/settings.md."""
    page = HEAD
    for section in SECTIONS:
        page += f"\n## {section.TITLE}\n\n"
        page += f"{section.INTRODUCTION}\n\n" if section.INTRODUCTION else ""
        page += TABLE
        for variable in section.VARIABLES:
            cells = (f"`{variable.name}`", variable.default_in_words, variable.meaning, variable.wrong)
            page += "".join(f"| {cell} " if cell else "| " for cell in cells) + "|\n"
    return page


def env_example() -> str:
    """Return the text of .env.example."""
    text = EXAMPLE_HEAD
    for section in SECTIONS:
        text += f"\n# --- {section.TITLE}\n"
        text += "".join(f"# {variable.name}={variable.default_as_written}\n" for variable in section.VARIABLES)
    return text


DOCUMENTS = {ROOT / "docs" / "settings.md": settings_page, ROOT / ".env.example": env_example}
"""The generated files, and the functions that return their texts."""
