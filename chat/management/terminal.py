"""Escapes control characters in text for terminals, so that the text of others cannot control an operator's terminal.

    a model's, a user's or a file's text ──shown──> the same text, with controls escaped as \\u001b

The escapes are those of JSON, so JSON stays equivalent. `Screen` is the output of commands: it escapes text for
terminals and standard error, and writes to pipes and files unchanged.
"""

import os
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

KEPT = frozenset("\n\t\u200c\u200d")
"""Line feeds, tabs, and the two joiners that Persian, Indic scripts and emoji need."""

HIDDEN = frozenset(("Cc", "Cf", "Cs"))
"""Unicode categories of invisible controls: C0 and C1 (ESC, BEL, CSI, OSC), bidi and other format controls, and lone
surrogates."""

SIGNS = frozenset((*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD))
"""Visible characters of category Cf: Arabic and Syriac signs before numbers (Prepended_Concatenation_Mark)."""


def shown(text: str) -> str:
    """Escape each control as `\\uXXXX` (as a surrogate pair beyond U+FFFF). Idempotent."""
    if text.isascii() and text.isprintable():
        return text
    return "\r\n".join("".join(map(_shown, line)) for line in text.split("\r\n"))  # CRLF is not escaped


def in_line(text: str) -> str:
    """Escape as `shown` does, and line feeds and tabs as well, for a cell of a table."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")


@lru_cache(4096)
def _shown(letter: str) -> str:
    if letter in KEPT or unicodedata.category(letter) not in HIDDEN or ord(letter) in SIGNS:
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


STDOUT = 1
"""The file descriptor."""


class Screen(OutputWrapper):
    """A command's output. `always`: escape even if it is not a terminal, as for standard error."""

    def __init__(self, out: Any, always: bool = False, style: Callable[[str], str] | None = None) -> None:
        super().__init__(out)
        self._shows = always or self.isatty()
        if style is not None and self.isatty():
            self.style_func = style

    def write(  # type: ignore[override]  # as Django's own differs from a file's
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        """Write `msg`, escaped by `shown` for a terminal or with `always`, and flush. Raises CommandError, such as on a
        full disk."""
        try:
            super().write(shown(msg) if self._shows else msg, style_func, ending)
            self.flush()
        except OSError as wrong:
            if self._out is sys.stdout:  # Python flushes what is left as it ends, and prints the error once more
                os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
            raise CommandError(f"The output cannot be written: {wrong.strerror}.") from None


def screens(stdout: Any = None, stderr: Any = None, style: Callable[[str], str] | None = None) -> tuple[Screen, Screen]:
    """Return a command's standard output, and its standard error, styled with `style`."""
    return Screen(stdout or sys.stdout), Screen(stderr or sys.stderr, always=True, style=style)
