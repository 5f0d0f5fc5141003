"""`Filter`: the base class of commands that write to pipes as Unix filters do, and escape text on terminals."""

import os
import signal
import sys
from io import TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand

from chat.management.terminal import screens


class Filter(BaseCommand):
    """Ends without a traceback on SIGPIPE and Ctrl-C, and writes UTF-8 with `\\n` line ends.

    On terminals, and always on standard error, control characters are escaped (`terminal.py`).
    """

    requires_system_checks: list[str] = []

    def __init__(self, stdout: Any = None, stderr: Any = None, *args: Any, **options: Any) -> None:
        super().__init__(stdout, stderr, *args, **options)
        self.output, self.errors = stdout or sys.stdout, stderr or sys.stderr
        self.stdout, self.stderr = screens(self.output, self.errors, self.style.ERROR)

    def run_from_argv(self, argv: list[str]) -> None:
        """Run with the default handlers of SIGINT and SIGPIPE, and UTF-8 output. If that is closed, nothing is done."""
        if getattr(sys.stdout, "name", None) == os.devnull:  # opened by `wondercam.commandline`, not by `>/dev/null`
            self.say("Standard output is closed, and nothing could be written to it: use >/dev/null to do without.")
            sys.exit(1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run with a `Screen` around the `stdout` and `stderr` that `call_command` was given."""
        stdout, stderr = options.pop("stdout", None), options.pop("stderr", None)
        if stdout or stderr:
            self.stdout, self.stderr = screens(stdout or self.output, stderr or self.errors)
        return super().execute(*args, **options)

    def put(self, text: str) -> None:
        """Write `text` to standard output."""
        self.stdout.write(text, ending="")

    def say(self, text: str) -> None:
        """Write a message to standard error."""
        self.stderr.write(text)
