"""Commands that write to a pipe as any Unix filter does."""

import signal
import sys
from io import TextIOWrapper

from django.core.management.base import BaseCommand


class Filter(BaseCommand):
    """Ends in silence when its reader goes or Ctrl-C is pressed, and writes UTF-8 byte for byte."""

    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """As `BaseCommand`, with the shell's own manners."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        super().run_from_argv(argv)

    def put(self, text: str) -> None:
        """Write `text` as it is, now."""
        self.stdout.write(text, ending="")
        self.stdout.flush()
