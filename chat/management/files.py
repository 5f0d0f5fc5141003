"""New files that commands write, readable by their owner only.

Recordings and back-ups contain other people's conversations. So the mode is 0600 whatever the umask is, existing files
are not overwritten, symbolic links are not followed, and an incomplete file is removed.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

from django.core.management.base import CommandError


@contextmanager
def new_file(name: str) -> Iterator[IO[bytes]]:
    """Create a file, open for bytes, and sync it at the end. Raises CommandError if it exists or cannot be written."""
    path = Path(name)
    try:
        # O_EXCL refuses a symbolic link too, even one that points nowhere (POSIX, open).
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as wrong:
        raise CommandError(refusal(path, wrong)) from None
    try:
        with os.fdopen(descriptor, "wb") as file, _signals_end_it():
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as wrong:
        path.unlink(missing_ok=True)
        if isinstance(wrong, OSError):
            raise CommandError(refusal(path, wrong)) from None
        raise


@contextmanager
def _signals_end_it() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise SystemExit, so that the incomplete file is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: Any) -> NoReturn:
    raise SystemExit(128 + number)


def refusal(path: Path, wrong: OSError) -> str:
    """Return the message for a file that cannot be written."""
    if isinstance(wrong, FileExistsError):
        return f"{path} exists already, and is not overwritten: name another file."
    return f"{path} cannot be written: {wrong.strerror or wrong}."
