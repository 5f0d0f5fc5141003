"""What all commands here have in common: they write to a pipe as any Unix filter does, and to people in safe words."""

import signal
import sys
from io import TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand

from chat.management.terminal import screens


class Filter(BaseCommand):
    """Ends in silence when its reader goes or Ctrl-C is pressed, and writes UTF-8 byte for byte.

    On a terminal, and always on standard error, no text of others is obeyed (`terminal.py`).
    """

    requires_system_checks: list[str] = []

    def __init__(self, stdout: Any = None, stderr: Any = None, *args: Any, **options: Any) -> None:
        super().__init__(stdout, stderr, *args, **options)
        self.output, self.errors = stdout or sys.stdout, stderr or sys.stderr
        self.stdout, self.stderr = screens(self.output, self.errors, self.style.ERROR)

    def run_from_argv(self, argv: list[str]) -> None:
        """As `BaseCommand`, with the shell's own manners."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As `BaseCommand`; what `call_command` is given to print to is as safe as the real terminal."""
        stdout, stderr = options.pop("stdout", None), options.pop("stderr", None)
        if stdout or stderr:
            self.stdout, self.stderr = screens(stdout or self.output, stderr or self.errors)
        return super().execute(*args, **options)

    def put(self, text: str) -> None:
        """Write `text` now."""
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def say(self, text: str) -> None:
        """Tell a person on standard error."""
        self.stderr.write(text)
        self.stderr.flush()
