"""Which tests of a parallel run belong in one process, those that share what takes a fixture seconds to start; and in
which order they run.

pytest-xdist asks for a scheduler by a hook. Its own one, of `--dist loadgroup`, needs marks that it writes into the
names of tests, which pytest 9.2 no longer takes from it: the marks then group nothing, and nothing says so.
"""

import os
from itertools import islice
from typing import Any
from zlib import crc32

import pytest

WHEEL = "an installation from the wheel"

TOGETHER = {
    "tests/browser/test_camera.py": "Chromium with a camera",
    "tests/browser/test_camera_failures.py": "Chromiums with few rights",
    "tests/browser/test_chats.py": "the server of test_chats.py",
    "tests/browser/test_enlarged.py": "Chromium with a camera, enlarged",
    "tests/browser/test_firefox.py": "Firefox",
    "tests/browser/test_keyboard.py": "Chromium with a camera, by keys",
    "tests/browser/test_notices.py": "Chromium whole",
    "tests/browser/test_unloaded.py": "Chromium whole",
    "tests/browser/test_voice.py": "Chromium with a microphone",
    "tests/faults/test_installed.py": "an installation with every package",
    "tests/faults/test_open_webui.py": WHEEL,
    "tests/faults/test_point_and_ask.py": "Chromium with a camera, in a soak",
    "tests/faults/test_slow_disk.py": "a library that is compiled",
    "tests/faults/test_spoken.py": "Chromium with a microphone, in a soak",
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

OF_MODULES = ("tests/unit/", "tests/project/")


def shared(nodeid: str) -> str:
    """The group of a test; one that shares nothing is a group of its own."""
    return TOGETHER.get(nodeid.partition("::")[0], nodeid)


def mixed(waiting: list[pytest.Item], computing: list[pytest.Item]) -> list[pytest.Item]:
    """The tests that wait, in any order, evenly among those that compute, whose order stays."""
    rest, each, found = iter(computing), len(computing) / max(1, len(waiting)), list[pytest.Item]()
    for number, item in enumerate(sorted(waiting, key=lambda item: crc32(item.nodeid.encode()))):
        found += islice(rest, round((number + 1) * each) - round(number * each))
        found.append(item)
    return [*found, *rest]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a parallel run, mix the tests of servers and browsers, which wait, with those of modules, which compute.

    pytest-django has put tests with a database before the others, and those that empty it last of them: that stays.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    waiting, computing = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        (computing if item.nodeid.startswith(OF_MODULES) else waiting).append(item)
    items[:] = mixed(waiting, computing)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the groups with the most tests out first, then one test at a time to whoever is free."""
    if config.getoption("dist") != "loadgroup":
        return None  # of the quick tests, which are given out by dozens
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class ByWhatTheyShare(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return shared(nodeid)

    return ByWhatTheyShare(config, log)
