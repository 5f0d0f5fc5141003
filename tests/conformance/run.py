"""All checks against one server, one after the other."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import httpx

from tests.conformance.checks import CHECKS, SLOW, Check, name_of, sentence_of
from tests.conformance.trial import Absent, Failed, Trial

LONGEST = 150.0
"""Seconds for one check."""


class Verdict(StrEnum):
    """What came of a check."""

    KEPT = "kept"
    BROKEN = "broken"
    EXTRA = "passes, not promised"
    MISSING = "fails, not promised"
    ABSENT = "not tried"


@dataclass(frozen=True)
class Result:
    """One check: `promised` is where the server's documentation says so, empty where it does not; `detail` a remark, or
    what was found instead."""

    name: str
    sentence: str
    verdict: Verdict
    promised: str
    detail: str


def chosen(names: Iterable[str] = (), slow: bool = False) -> list[Check]:
    """The checks of these names; without names all of them, those that wait for long only if asked for."""
    wanted = set(names)
    if unknown := wanted - {name_of(check) for check in CHECKS}:
        raise ValueError(f"There is no check {', '.join(sorted(unknown))}.")
    return [check for check in CHECKS if (name_of(check) in wanted if wanted else slow or check not in SLOW)]


async def results(trial: Trial, checks: Iterable[Check]) -> list[Result]:
    """Run the checks."""
    return [await result(trial, check) for check in checks]


async def result(trial: Trial, check: Check) -> Result:
    """Run one check. Whatever goes wrong is what it found."""
    name = name_of(check)
    promised = trial.adapter.promises.get(name, "")
    try:
        if name in trial.adapter.absent:
            raise Absent(trial.adapter.absent[name])
        detail = await asyncio.wait_for(check(trial), LONGEST) or ""
        verdict = Verdict.KEPT if promised else Verdict.EXTRA
    except Absent as why:
        detail, verdict = str(why), Verdict.ABSENT
    except (Failed, httpx.HTTPError, TimeoutError) as why:
        detail, verdict = told(why), Verdict.BROKEN if promised else Verdict.MISSING
    return Result(name, sentence_of(check), verdict, promised, detail)


def told(why: Exception) -> str:
    """What went wrong, as a sentence."""
    if isinstance(why, Failed):
        return str(why)
    if isinstance(why, TimeoutError | httpx.TimeoutException):
        return "Nothing came for a minute and more, and no end."
    return f"The connection failed: {type(why).__name__}."
