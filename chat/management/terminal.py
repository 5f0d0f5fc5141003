"""What may be printed on an operator's terminal: text that others wrote is shown there, never obeyed.

    a model's, a user's or a file's text ──shown──> the same, with what drives a terminal written as \\u001b

The escapes are JSON's own, so JSON stays the same JSON. `Screen` is where commands print: what goes to a terminal and
what goes to standard error passes `shown`, bytes into a pipe or a file stay exact.
"""

import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.core.management.base import OutputWrapper

KEPT = frozenset("\n\t\u200c\u200d")
"""Line ends, tabs, and the two joiners that Persian, Indic scripts and emoji are written with."""

HIDDEN = frozenset(("Cc", "Cf", "Cs"))
"""Unicode's categories of what is obeyed and not seen: C0 and C1 (ESC, BEL, CSI, OSC), bidi and other format controls,
and lone surrogates."""

SIGNS = frozenset((*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD))
"""Of category Cf and yet seen: Arabic and Syriac signs that stand before a number (Prepended_Concatenation_Mark)."""


def shown(text: str) -> str:
    """The text with each control written as `\\uXXXX` (two of them beyond the first plane). Idempotent."""
    if text.isascii() and text.isprintable():
        return text
    return "\r\n".join("".join(map(_shown, line)) for line in text.split("\r\n"))  # a line end is no control


def in_line(text: str) -> str:
    """`shown` for a name in a table: it cannot begin a line of its own either."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")


@lru_cache(4096)
def _shown(letter: str) -> str:
    if letter in KEPT or unicodedata.category(letter) not in HIDDEN or ord(letter) in SIGNS:
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class Screen(OutputWrapper):
    """A command's output. `always`: for people even where it is no terminal, as standard error is."""

    def __init__(self, out: Any, always: bool = False, style: Callable[[str], str] | None = None) -> None:
        super().__init__(out)
        self._shows = always or self.isatty()
        if style is not None and self.isatty():
            self.style_func = style

    def write(  # type: ignore[override]  # as Django's own differs from a file's
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        """Print `msg`, shown where somebody looks on."""
        super().write(shown(msg) if self._shows else msg, style_func, ending)


def screens(stdout: Any = None, stderr: Any = None, style: Callable[[str], str] | None = None) -> tuple[Screen, Screen]:
    """Where a command prints, and where it tells people what it does and what went wrong (in `style`)."""
    return Screen(stdout or sys.stdout), Screen(stderr or sys.stderr, always=True, style=style)
