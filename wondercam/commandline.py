"""The command line: `manage.py`, and `wondercam` if the wheel is installed. An invalid setting or an unusable database
ends a command with a message instead of a traceback, Ctrl-C without one."""

import gc
import os
import signal
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, OperationalError, ProgrammingError

from wondercam.installation import PROGRAM

WINDOWS = (
    "WonderCam runs on Linux and macOS. On Windows install it in the Windows Subsystem for Linux (wsl --install), "
    "or run the container."
)

YOUNG_OBJECTS = 50_000
"""New objects after which the garbage collector looks for cycles. What a start imports stays: with Python's own 700 a
quarter of the start is spent on looking at it again and again. Workers set their own (wondercam/server/worker.py)."""


def main() -> int:
    """Run the command `wondercam`, which is `manage.py` with `serve` as the default command."""
    return run([*sys.argv, "serve"] if len(sys.argv) == 1 else sys.argv)


def run(arguments: list[str], platform: str = sys.platform) -> int:
    """Run the command, and return its exit status: 1 on an unsupported platform, an invalid setting or a database that
    cannot be used."""
    if platform == "win32":
        print(WINDOWS, file=sys.stderr)
        return 1
    open_closed_streams()
    gc.set_threshold(YOUNG_OBJECTS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wondercam.settings")
    try:
        execute_from_command_line(arguments)
    except ImproperlyConfigured as wrong:
        print(f"WonderCam cannot start: {wrong}", file=sys.stderr)
        return 1
    except DatabaseError as wrong:
        if "--traceback" in arguments or not is_the_databases(wrong):
            raise
        print(explanation(wrong, arguments), file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before a command has a handler of its own, such as while it is imported
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)  # so that a shell sees what ended it, and ends its script too
    return 0


def open_closed_streams() -> None:
    """Open the null device in place of each standard stream that is closed, as by `>&-`: Python has None there, and the
    next file that is opened, such as the database, would get its descriptor and what is printed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (it stays open)


def is_the_databases(wrong: DatabaseError) -> bool:
    """Whether the error is one of the database (unreachable, damaged, not migrated), not of a statement."""
    return type(wrong) in (DatabaseError, OperationalError) or (
        is_behind(wrong) and isinstance(wrong, ProgrammingError)
    )


def is_behind(wrong: DatabaseError) -> bool:
    """Whether a table or column is missing, by the messages of SQLite and PostgreSQL."""
    return any(words in str(wrong) for words in ("no such table", "no such column", "does not exist"))


def explanation(wrong: DatabaseError, arguments: list[str]) -> str:
    """Return why the database cannot be used. `check` tells it in the words of its own check, which from Django 6.1 on
    it does not reach: Django's checks of models use the database before."""
    if arguments[1:2] == ["check"]:
        from wondercam.checks import database_answers  # here, because other commands need it only where they fail

        if found := database_answers():
            return "\n".join(f"{each.msg} {each.hint} ({each.id})" for each in found)
    return f"The database cannot be used: {str(wrong).strip()}. {advice(wrong)}"


def advice(wrong: DatabaseError) -> str:
    """Return what the operator can do about the error."""
    if is_behind(wrong):
        return f"Run `{PROGRAM} migrate` first."
    return f"`{PROGRAM} check --deploy` says more; --traceback shows where it happened."
