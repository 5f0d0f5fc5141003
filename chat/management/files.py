"""Files that commands write: new ones, for their owner's eyes only.

A recording or a back-up is other people's conversation, so it is made 0600 whatever the umask allows, never over a file
that is there, and never through a symbolic link. What could not be finished is removed again.
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
    """A file that did not exist, open for bytes and on the disk in the end; CommandError where there can be none."""
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
    """Let Ctrl-C and SIGTERM raise, so that the half file is removed."""
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
    """The sentence for a file that cannot be written."""
    if isinstance(wrong, FileExistsError):
        return f"{path} exists already, and is not overwritten: name another file."
    return f"{path} cannot be written: {wrong.strerror or wrong}."
