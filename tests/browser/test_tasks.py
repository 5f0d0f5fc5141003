"""How long the page keeps a phone's processor without a pause: no task may take 50 ms, or a press is answered late.

A phone is a desktop slowed down four times (as Lighthouse has it). Such bounds mean something on a quiet machine only.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.recorded import record
from tests.browser.test_page import Start, ask, ended, start
from tests.soak import keep_figures

__all__ = ["start"]

pytestmark = pytest.mark.soak

SLOWER = 4
LONGEST = 50
EVENTS = 10_000
MESSAGES = 300
TASKS = """
window.__tasks = [];
new PerformanceObserver((list) => window.__tasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask", buffered: true });
"""
"""A task of 50 ms or more, each (https://w3c.github.io/longtasks/)."""
ANSWER = (
    "## Number {number}\n\nThe sky is **blue** because air scatters short waves, see [here](https://example.com).\n\n"
    "- one\n- two `code`\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
    "```python\nfor each in range({number}):\n    print(each)\n```\n\n"
    "And *that* is all that there is to be said about it, in some more words than are needed. " * 2
)
FILL = """
from chat.models import Conversation, Message
chat = Conversation.objects.get()
last = chat.messages.order_by("position").last()
for number in range({count}):
    role = ("user", "model")[number % 2]
    text = {answer!r}.replace("{{number}}", str(number)) if number % 2 else f"Question {{number}}?"
    last = Message.objects.create(
        conversation=chat, parent=last, role=role, parts=[{{"text": text}}], position=last.position + 1
    )
"""


async def slowed(page: Page) -> None:
    """From now on on a phone, with every long task noted."""
    await page.add_init_script(TASKS)
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


async def long_tasks(page: Page, of: str) -> list[float]:
    """Their durations in ms, longest first; kept in the soak's figures."""
    tasks: list[Any] = await page.evaluate("window.__tasks")
    found = sorted((float(task) for task in tasks), reverse=True)
    keep_figures(f"{of}, {SLOWER} times slower: {len(found)} tasks of {LONGEST} ms or more, longest {found[:5]}")
    return found


async def test_a_chat_of_300_messages_opens_without_a_long_task(page: Page, start: Start) -> None:
    server = await start({"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDING_SPEED": "100"})
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    server.manage("shell", "-c", FILL.format(count=MESSAGES, answer=ANSWER))
    await slowed(page)
    await page.reload()
    await page.wait_for_function("count => document.querySelectorAll('article').length >= count", arg=MESSAGES)
    await page.locator("#transcript[data-whole]").wait_for(state="attached")
    assert await long_tasks(page, f"{MESSAGES} messages open") == []


async def test_ten_thousand_events_stream_without_a_long_task(page: Page, start: Start, tmp_path: Path) -> None:
    text = (ANSWER.replace("{number}", "7") + "\n\n") * (EVENTS // 50)
    pieces = re.findall(r"\s*\S+|\s+", text)[:EVENTS]
    assert len(pieces) == EVENTS
    await start(record(tmp_path, "long", pieces, 5_000))
    await slowed(page)
    await page.reload()
    await ask(page, "Go.")
    await ended(page, "complete", seconds=600)
    assert await long_tasks(page, f"{EVENTS:,} events at 200 a second stream") == []
