"""`serve(…)` starts the server on the plain application; `site` is one for all tests that do not end it."""

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from tests.servers.plain.site import Site


class Serve(Protocol):
    def __call__(self, workers: int = 1, env: dict[str, str] | None = None, **options: Any) -> Site: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    sites: list[Site] = []

    def start(workers: int = 1, env: dict[str, str] | None = None, **options: Any) -> Site:
        sites.append(Site(workers, options, env or {}))
        return sites[-1].wait()

    yield start
    for site in sites:
        site.end()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One server for all tests that do not end it."""
    running = Site(1, {"body_bytes": 100_000, "header_time": 3, "idle_time": 90}, {}).wait()
    yield running
    running.end()
