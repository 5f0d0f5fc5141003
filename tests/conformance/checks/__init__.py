"""The checks, in the order of a stream's life: how the answer begins, is resumed, generated, refused, and survives.

A check is an async function of a `Trial`. Its name is what adapters and results call it, the first sentence of its
docstring what it checks. What it returns is a remark for the table; it raises `Failed` or `Absent` otherwise.
"""

from collections.abc import Awaitable, Callable

from tests.conformance.checks import generation, outage, refusals, response, resume
from tests.conformance.trial import Trial

Check = Callable[[Trial], Awaitable[str | None]]

CHECKS: tuple[Check, ...] = (*response.CHECKS, *resume.CHECKS, *generation.CHECKS, *refusals.CHECKS, *outage.CHECKS)

SLOW: frozenset[Check] = frozenset(outage.SLOW)
"""Those that wait for most of a minute: left out unless asked for."""


def name_of(check: Check) -> str:
    """What adapters and results call it."""
    return check.__name__


def sentence_of(check: Check) -> str:
    """What it checks."""
    return " ".join((check.__doc__ or "").strip().partition("\n\n")[0].split())
