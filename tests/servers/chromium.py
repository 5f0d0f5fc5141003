"""`chromium`: the real browser, without a window; `page`: an empty profile of it, `tab(…)` one of another kind.

All are asynchronous, so that a test may drive a page and watch the server at once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.servers.process import program

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PATIENCE_MS = 90_000
"""What is awaited comes sooner or later: three browsers and their servers may share one core."""

CLOSE_SECONDS = 60
"""A browser that does not close says nothing of the page: Playwright's own process ends it, without waiting long."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def chromium_flags() -> list[str]:
    """More flags for this test's browser; a module that needs some has a fixture of this name."""
    return []


@pytest_asyncio.fixture
async def chromium(chromium_flags: list[str]) -> AsyncIterator[Browser]:
    """A browser of this test's own. Its pages have no service worker unless `service_workers` says so."""
    path = program(["chromium", "chromium-browser", "google-chrome"], "chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*FLAGS, *chromium_flags])
        new_context = browser.new_context

        async def without_worker(**options: Any) -> BrowserContext:
            return await new_context(**{"service_workers": "block", **options})

        browser.new_context = without_worker  # type: ignore[method-assign]
        yield browser
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await browser.close()


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


@pytest_asyncio.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A tab in an empty profile."""
    async with tab(chromium) as page:
        yield page
