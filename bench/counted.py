"""`python counted.py FILE PYTHON manage.py …`: runs manage.py so that the calls of its main thread can be counted.

SIGUSR1 begins to count, SIGUSR2 ends it and writes FILE: JSON, {"caller's file:function": calls}, where a call of a
Python function is the function's own and a call of a function in C its caller's. Only this module's own imports are
needed, so that it runs a server of any checkout.
"""

import json
import os
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

calls: Counter[tuple[str, str]] = Counter()


def count(frame: FrameType, event: str, _: Any) -> None:
    """One call; see `sys.setprofile`."""
    if event in ("call", "c_call"):
        calls[frame.f_code.co_filename, frame.f_code.co_qualname] += 1


def begin(*_: Any) -> None:
    """Count from now on."""
    calls.clear()
    sys.setprofile(count)


def end(file: Path) -> None:
    """Write what was counted; the file is complete when it has its name."""
    sys.setprofile(None)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps({f"{path}:{name}": number for (path, name), number in calls.items()}))
    partial.rename(file)


if __name__ == "__main__":
    written = Path(sys.argv[1])
    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, lambda *_: end(written))
    sys.argv = sys.argv[3:]
    sys.path.insert(0, os.getcwd())
    runpy.run_path(sys.argv[0], run_name="__main__")
