"""Files that commands write: new ones, for their owner's eyes only.

A recording or a back-up is other people's conversation, so it is made 0600 whatever the umask allows, never over a file
that is there, and never through a symbolic link. What could not be finished is removed again.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

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
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as wrong:
        path.unlink(missing_ok=True)
        if isinstance(wrong, OSError):
            raise CommandError(refusal(path, wrong)) from None
        raise


def refusal(path: Path, wrong: OSError) -> str:
    """The sentence for a file that cannot be written."""
    if isinstance(wrong, FileExistsError):
        return f"{path} exists already, and is not overwritten: name another file."
    return f"{path} cannot be written: {wrong.strerror or wrong}."
