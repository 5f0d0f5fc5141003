"""The signals that the server handles.

SIGTERM          drain: accept no more, let what runs end; a second one ends the process at once
SIGINT (Ctrl-C)  the same, and it says how many answers it still waits for
SIGHUP           drain, however often it comes: a terminal that closes sends it more than once
"""

import signal
import sys
from contextlib import suppress

DRAIN = frozenset({signal.SIGTERM, signal.SIGINT})
"""A second one of these ends the process where it stands."""


def hangs_up() -> bool:
    """Whether to handle SIGHUP: not if it is ignored, as under `nohup`."""
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def say_what_runs(count: int) -> None:
    """Print how many answers the server still waits for after Ctrl-C, and how to stop at once."""
    if count:
        say(f"finishing {count} {'answer' if count == 1 else 'answers'}, press Ctrl-C again to stop now")


def say(sentence: str) -> None:
    """Print a line, and ignore the OSError of a closed terminal."""
    with suppress(OSError):
        sys.stdout.write(f"{sentence}\n")  # in one call, because workers print, too
        sys.stdout.flush()


def flush() -> None:
    """Flush standard output and error, and ignore OSError."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
