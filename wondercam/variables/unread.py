"""Finds unknown environment variables with names like those of WonderCam, which are probably misspelt."""

from collections.abc import Iterable
from difflib import get_close_matches

from wondercam.variables import ALL

OURS = "WONDERCAM_"
FOR_TESTS = "WONDERCAM_TEST_"
READ_BY_OTHERS = "OTEL_"
"""The prefix of the variables that OpenTelemetry's packages read."""
FAMILIES = tuple({f"{name.split('_')[0]}_" for name in ALL if "_" in name} - {OURS, READ_BY_OTHERS})
"""The prefixes of the other declared names: `OPENAI_`, `DATABASE_`, … Other programs use them, too, so only a name that
is very similar to a declared one is reported."""


def unread(environment: Iterable[str]) -> list[tuple[str, str]]:
    """Return the unknown names, each with the most similar declared name, or "" if none is similar."""
    found = []
    for name in sorted(set(environment) - set(ALL)):
        if name.startswith(OURS) and not name.startswith(FOR_TESTS):
            found.append((name, nearest_of_ours(name)))
        elif name.startswith(FAMILIES) and (near := nearest(name, 0.85)):
            found.append((name, near))
    return found


def nearest_of_ours(name: str) -> str:
    """Return the most similar declared name with the prefix OURS, compared without it; "" if none is similar."""
    rest = {declared.removeprefix(OURS): declared for declared in ALL if declared.startswith(OURS)}
    return next((rest[near] for near in get_close_matches(name.removeprefix(OURS), rest, n=1, cutoff=0.6)), "")


def nearest(name: str, least: float) -> str:
    """Return the most similar declared name, if the similarity is at least `least` (0 to 1); else ""."""
    return next(iter(get_close_matches(name, ALL, n=1, cutoff=least)), "")
