"""`chromium`: the real browser, without a window; `page`: an empty profile of it, `tab(…)` one of another kind.

All are asynchronous, so that a test may drive a page and watch the server at once. The browser and Playwright's own
process are started once for all tests of a process: that takes as much time as a short test. So these tests share an
event loop (tests/conftest.py marks them), and their own asynchronous fixtures must be of that loop, too.

Where Debian's `chromium-headless-shell` is installed it is the browser: the same engine without Chromium's windows, for
less than half of the CPU (30 s for 69 in 20 tests). What needs more of a browser has `WHOLE` as `chromium_programs`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, BrowserType, Page, Route, async_playwright, expect

from tests.servers.process import program

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

WHOLE = ["chromium", "chromium-browser", "google-chrome"]

PATIENCE_MS = 90_000
"""What is awaited comes sooner or later: three browsers and their servers may share one core."""

CLOSE_SECONDS = 60
"""A browser that does not close says nothing of the page: Playwright's own process ends it, without waiting long."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def chromium_flags() -> list[str]:
    """More flags for this test's browser; a module that needs some has a fixture of this name."""
    return []


@pytest.fixture
def chromium_programs() -> list[str]:
    """The programs of which the first one found is this test's browser; a module that needs another has its own."""
    return ["chromium-headless-shell", *WHOLE]


class Chromium:
    """The browser with the program and the flags of the newest test; another one takes its place."""

    def __init__(self, kind: BrowserType) -> None:
        self._kind = kind
        self._command: list[str] = []
        self._browser: Browser | None = None

    async def get(self, programs: list[str], flags: list[str]) -> Browser:
        """The browser with these flags. Its pages have no service worker unless `service_workers` says so."""
        command = [program(programs, "chromium"), *FLAGS, *flags]
        if self._browser is None or self._command != command or not self._browser.is_connected():
            await self.close()
            self._browser = await self._kind.launch(executable_path=command[0], args=command[1:])
            self._browser.new_context = without_worker(self._browser.new_context)  # type: ignore[method-assign, assignment]
            self._command = command
        return self._browser

    async def close(self) -> None:
        """End the browser."""
        if self._browser is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._browser.close()
            self._browser = None


def without_worker(new_context: Callable[..., Awaitable[BrowserContext]]) -> Callable[..., Awaitable[BrowserContext]]:
    """The same, with service workers blocked unless the caller says otherwise."""

    async def new(**options: Any) -> BrowserContext:
        return await new_context(**{"service_workers": "block", **options})

    return new


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromiums() -> AsyncIterator[Chromium]:
    """The browser of this process, ended with it."""
    async with async_playwright() as playwright:
        browser = Chromium(playwright.chromium)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chromium(
    chromiums: Chromium, chromium_programs: list[str], chromium_flags: list[str]
) -> AsyncIterator[Browser]:
    """A browser without any profile; those that the test makes go with it."""
    browser = await chromiums.get(chromium_programs, chromium_flags)
    yield browser
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            for context in browser.contexts:
                await context.close()


@asynccontextmanager
async def tab(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """A tab in an empty profile; what its own scripts raise, and what the page's policy forbids, fails the test."""
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await context.close()
    assert errors == []


@asynccontextmanager
async def held(page: Page, requests: re.Pattern[str]) -> AsyncIterator[None]:
    """Meanwhile nothing comes of what the page requests with such addresses."""
    arrive = asyncio.Event()

    async def hold(route: Route) -> None:
        await arrive.wait()
        await route.continue_()

    await page.route(requests, hold)
    yield
    arrive.set()


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A tab in an empty profile."""
    async with tab(chromium) as page:
        yield page
