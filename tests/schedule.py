"""Which tests of a parallel run belong in one process: those that share what takes a fixture seconds to start.

pytest-xdist asks for a scheduler by a hook. Its own one, of `--dist loadgroup`, needs marks that it writes into the
names of tests, which pytest 9.2 no longer takes from it: the marks then group nothing, and nothing says so.
"""

from typing import Any

import pytest

WHEEL = "an installation from the wheel"

TOGETHER = {
    "tests/browser/test_chats.py": "the server of test_chats.py",
    "tests/browser/test_firefox.py": "Firefox",
    "tests/faults/test_installed.py": "an installation with every package",
    "tests/faults/test_slow_disk.py": "a library that is compiled",
    "tests/journeys/test_installed.py": WHEEL,
    "tests/servers/plain/test_reading.py": "a plain site",
    "tests/servers/plain/test_server.py": "a plain site",
    "tests/servers/test_operator.py": "the server of test_operator.py",
    "tests/servers/test_paths.py": "70 paths, measured at once",
    "tests/servers/test_real_proxies.py": "proxies",
    "tests/servers/test_single_sign_on.py": "a provider of identities",
    "tests/unit/providers/test_local.py": "the embedded model",
    "tests/unit/test_recognition_networks.py": "the networks for photos",
    "tests/unit/test_second_factor.py": "a server with the second factor",
    "tests/unit/test_wheel.py": WHEEL,
}
"""By file: what its tests share. Files that name the same thing go to the same process."""


def shared(nodeid: str) -> str:
    """The group of a test; one that shares nothing is a group of its own."""
    return TOGETHER.get(nodeid.partition("::")[0], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the groups with the most tests out first, then one test at a time to whoever is free."""
    if config.getoption("dist") != "loadgroup":
        return None  # of the quick tests, which are given out by dozens
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatTheyShare(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return shared(nodeid)

    return ByWhatTheyShare(config, log)
