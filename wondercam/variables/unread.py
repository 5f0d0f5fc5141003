"""Names in the environment that look like ours and that nothing reads: most likely typing errors."""

from collections.abc import Iterable
from difflib import get_close_matches

from wondercam.variables import ALL

OURS = "WONDERCAM_"
FOR_TESTS = "WONDERCAM_TEST_"
READ_BY_OTHERS = "OTEL_"
"""OpenTelemetry's packages read many of that family."""
FAMILIES = tuple({f"{name.split('_')[0]}_" for name in ALL if "_" in name} - {OURS, READ_BY_OTHERS})
"""What the others' names begin with: `OPENAI_`, `DATABASE_`, … Programs beside us have names there too, so that only
one that is nearly the same as one of ours is taken for it."""


def unread(environment: Iterable[str]) -> list[tuple[str, str]]:
    """Each name that nothing reads, with the declared one nearest to it ("" where none is near)."""
    found = []
    for name in sorted(set(environment) - set(ALL)):
        if name.startswith(OURS) and not name.startswith(FOR_TESTS):
            found.append((name, nearest_of_ours(name)))
        elif name.startswith(FAMILIES) and (near := nearest(name, 0.85)):
            found.append((name, near))
    return found


def nearest_of_ours(name: str) -> str:
    """The same among the names that begin as ours do, by what follows."""
    rest = {declared.removeprefix(OURS): declared for declared in ALL if declared.startswith(OURS)}
    return next((rest[near] for near in get_close_matches(name.removeprefix(OURS), rest, n=1, cutoff=0.6)), "")


def nearest(name: str, least: float) -> str:
    """The declared name that is most like this one, if it is so at least that much (0 to 1)."""
    return next(iter(get_close_matches(name, ALL, n=1, cutoff=least)), "")
