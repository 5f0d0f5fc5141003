"""What a signal asks of the server.

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
    """Whether SIGHUP is to be listened for: not where it is ignored, as under `nohup`."""
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def say_what_runs(count: int) -> None:
    """Tell whoever pressed Ctrl-C how many answers are waited for, and how not to wait."""
    if count:
        say(f"finishing {count} {'answer' if count == 1 else 'answers'}, press Ctrl-C again to stop now")


def say(sentence: str) -> None:
    """Print a line where somebody may still read it: a closed terminal raises OSError."""
    with suppress(OSError):
        sys.stdout.write(f"{sentence}\n")  # in one piece: workers print, too
        sys.stdout.flush()


def flush() -> None:
    """Write out what was printed, as far as that is possible."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
