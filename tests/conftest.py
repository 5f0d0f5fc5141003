"""What every test stands on: settings of its own, no real key or data of the person who runs it, real servers.

Settings are read when Django is set up, so the environment is laid here, before anything imports them.
"""

import faulthandler
import gc
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest
from asgiref.sync import SyncToAsync

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = tempfile.mkdtemp(prefix="wondercam-tests-")

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "wondercam.settings",
    "PYTHON_DOTENV_DISABLED": "1",
    "DEBUG": "1",
    "WONDERCAM_DATA_DIR": DATA_DIR,
    "WONDERCAM_DISCOVER": "0",
    "WONDERCAM_LIMITS": "off",
    "SECRET_KEY": "a-key-for-tests-only-and-nothing-else-in-the-world",
    "JWT_SIGNING_KEY": "another-key-for-tests-only-to-sign-tokens-that-live-briefly",
}


# The same examples in every run, however slow the machine; WONDERCAM_TEST_SOAK=1 looks for new ones.
hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    derandomize=not os.environ.get("WONDERCAM_TEST_SOAK"),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")


def documented_variables() -> list[str]:
    """The names in `.env.example`: none of the runner's own values may reach a test."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return [line.removeprefix("#").split("=")[0].strip() for line in lines if "=" in line]


for name in documented_variables():
    os.environ.pop(name, None)
os.environ.update(SETTINGS)
django.setup()

from django.conf import settings  # noqa: E402 (settings come first)
from django.db import connections  # noqa: E402

from chat.limits import counting  # noqa: E402
from tests.catalogue import providers  # noqa: E402
from tests.soak import SOAK  # noqa: E402

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # of accounts that last for a test
# Each django.test.Client makes the middleware anew, which lists every static file: 100 ms. Tests of those ask for it.
settings.SERVESTATIC_USE_FINDERS = settings.SERVESTATIC_USE_STATIC_ROOT = False

pytest_plugins = [
    "tests.servers.chromium",
    "tests.servers.firefox",
    "tests.servers.nginx",
    "tests.servers.front",
    "tests.servers.postgres",
    "tests.servers.redis",
    "tests.servers.wondercam",
    "tests.inside",
    "tests.schedule",
    "tests.talks",
    "tests.wheel",
]


STUCK_SECONDS = float(os.environ.get("WONDERCAM_TEST_STUCK_SECONDS", "120"))
"""What a test may take to be taken down."""

SERVERS = {
    "chromium",
    "firefox",
    "front",
    "installation",
    "nginx",
    "one_slot",
    "postgres",
    "redis",
    "serve",
    "server",
    "share",
    "site",
}
"""Fixtures that start a program, or load the real model."""

STORING = {"core", "db", "log", "transactional_db"}
"""Fixtures whose tests store something in a database, which takes 4 s to make."""

STDERR = pytest.StashKey[int]()

FAILED = ROOT / "build" / "tests" / "failed.txt"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by their fixtures what `make test-unit` leaves out, before it is chosen, and what shares the browser's event
    loop; leave `make soak` its own.

    The modules stay in their shuffled order: tests that wait and tests that compute then run beside each other.
    """
    for item in items:
        if not SERVERS.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if not STORING.isdisjoint(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db"):
            item.add_marker("core")
    if not SOAK and (later := [item for item in items if item.get_closest_marker("soak")]):
        items[:] = [item for item in items if item not in later]
        config.hook.pytest_deselected(items=later)


def pytest_collection_finish() -> None:
    """What has been imported and collected stays: the collector of cycles need not look at it again and again."""
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real stderr: what a test prints is caught, and would be lost with the process."""
    config.stash[STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """pytest-timeout interrupts a test once. What it breaks off may leave an event loop that waits for ever for a task:
    then this process ends, with the stacks of its threads, and the run goes on without it."""
    faulthandler.dump_traceback_later(STUCK_SECONDS, file=item.config.stash[STDERR], exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write down what has failed, for `make test` to run it once more, alone."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not FAILED.parent.is_dir():  # a process of the run, or a run without the Makefile
        return
    reports = [*reporter.stats.get("failed", ()), *reporter.stats.get("error", ())]
    names = sorted({report.nodeid for report in reports})
    FAILED.write_text("".join(f"{name}\n" for name in names if exitstatus == pytest.ExitCode.TESTS_FAILED))


def pytest_unconfigure() -> None:
    """The data folder of this test process goes with it."""
    shutil.rmtree(DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Forget what earlier tests in this process have asked for: they have all come from one address."""
    counting.own.cache_clear()


@pytest.fixture(autouse=True)
def own_catalogue() -> Generator[None, None, None]:
    """The models that a test has configured go with it."""
    yield
    providers.restore()


@pytest.fixture(autouse=True)
def closed_connections() -> Generator[None, None, None]:
    """What a test opened in the thread of `sync_to_async` is closed with it; from Python 3.13 on a connection that is
    left to the collector of cycles is a warning, and so an error of whatever test runs then."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


def failed_where_a_skip_is_one(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With CI=true a test that did not run has failed: there, whatever it needs must be installed."""
    if report.outcome == "skipped" and not hasattr(report, "wasxfail") and os.environ.get("CI", "").lower() == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} did not run, and CI=true allows no skip: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See `failed_where_a_skip_is_one`."""
    report = yield
    failed_where_a_skip_is_one(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See `failed_where_a_skip_is_one`."""
    report = yield
    failed_where_a_skip_is_one(report)
    return report
