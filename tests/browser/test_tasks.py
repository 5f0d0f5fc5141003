"""How long the page keeps a phone's processor without a pause: a press that waits for longer than 200 ms is felt late
(https://web.dev/articles/inp). What takes 50 ms is counted in the soak's figures.

A phone is a desktop slowed down four times (as Lighthouse has it). Such bounds mean something on a quiet machine only.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser.recorded import record
from tests.browser.test_page import Start, ask, ended, start
from tests.soak import keep_figures

__all__ = ["start"]

SLOWER = 4
LONG, LONGEST = 50, 200
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
ONE_MORE = """() => {
  const text = document.querySelector("[data-part=text] > div:last-child > .blocks:last-child");
  const more = document.createElement("p");
  text.append(more);
  void document.body.offsetHeight;
  more.remove();
  return document.body.offsetHeight;
}"""
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


UNTIL_COMPLETE = """() => new Promise((resolve) => {
  const list = document.querySelector("#transcript");
  const look = () => {
    const answer = [...list.querySelectorAll("article[data-role=model]")].at(-1);
    if (list.hasAttribute("data-whole") && answer?.dataset.status === "complete") resolve();
  };
  const attributeFilter = ["data-status", "data-whole"];
  new MutationObserver(look).observe(list, { attributeFilter, childList: true, subtree: true });
  look();
})"""
"""Without a look at the page meanwhile: `expect` describes all of it at each try, 100 ms where an answer is long."""


async def slowed(page: Page) -> None:
    """From now on on a phone, with every long task noted."""
    await page.add_init_script(TASKS)
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


async def long_tasks(page: Page, of: str) -> list[float]:
    """Their durations in ms, longest first; kept in the soak's figures."""
    tasks: list[Any] = await page.evaluate("window.__tasks")
    found = sorted((float(task) for task in tasks), reverse=True)
    keep_figures(f"{of}, {SLOWER} times slower: {len(found)} tasks of {LONG} ms or more, longest {found[:5]}")
    return found


@pytest.mark.soak
async def test_a_chat_of_300_messages_opens_without_holding_up_a_press(page: Page, start: Start) -> None:
    server = await start({"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDING_SPEED": "100"})
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    server.manage("shell", "-c", FILL.format(count=MESSAGES, answer=ANSWER))
    await slowed(page)
    await page.reload()
    await page.wait_for_function("count => document.querySelectorAll('article').length >= count", arg=MESSAGES)
    await page.locator("#transcript[data-whole]").wait_for(state="attached")
    assert max(await long_tasks(page, f"{MESSAGES} messages open"), default=0) < LONGEST


async def test_a_word_that_comes_styles_itself_anew_and_not_the_whole_page(
    page: Page, chromium: Browser, start: Start, tmp_path: Path
) -> None:
    """As a rule does that ends in `*` under a `:has()` of something around the answer: 7,000 elements, 30 ms a word."""
    text = (ANSWER.replace("{number}", "7") + "\n\n") * 40
    await start(record(tmp_path, "long", [text[at : at + 3_000] for at in range(0, len(text), 3_000)]))
    await ask(page, "Go.")
    await ended(page, "complete")
    await chromium.start_tracing(page=page, categories=["devtools.timeline"])
    await page.evaluate(ONE_MORE)
    trace = json.loads(await chromium.stop_tracing())["traceEvents"]
    styled = [
        each["args"].get("elementCount", 0) for each in trace if each["name"] == "UpdateLayoutTree" and "dur" in each
    ]
    assert styled
    assert max(styled) < 1_000, "of 3,000 elements"


async def test_a_long_stored_answer_is_laid_out_and_styled_in_slices(
    page: Page, chromium: Browser, start: Start, tmp_path: Path
) -> None:
    """Written beside the page, it was laid out whole when it took its place: 10,600 objects, 500 ms of a phone. Styled
    whole, by a property that its elements inherit, it took 300."""
    text = (ANSWER.replace("{number}", "7") + "\n\n") * 80
    await start(record(tmp_path, "long", [text[at : at + 3_000] for at in range(0, len(text), 3_000)]))
    await ask(page, "Go.")
    await ended(page, "complete")
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    await chromium.start_tracing(page=page, categories=["devtools.timeline"])
    await page.reload()
    await page.locator("#transcript[data-whole]").wait_for(state="attached")
    await page.evaluate("() => new Promise(requestAnimationFrame)")
    trace = json.loads(await chromium.stop_tracing())["traceEvents"]
    laid_out = [each["args"]["beginData"]["dirtyObjects"] for each in trace if each["name"] == "Layout"]
    styled = [each["args"].get("elementCount", 0) for each in trace if each["name"] == "UpdateLayoutTree"]
    assert sum(laid_out) > 8_000
    assert max(laid_out) < 4_000
    assert max(styled) < 3_000, "of 6,800 elements"


@pytest.mark.soak
async def test_ten_thousand_events_stream_without_holding_up_a_press(page: Page, start: Start, tmp_path: Path) -> None:
    text = (ANSWER.replace("{number}", "7") + "\n\n") * (EVENTS // 50)
    pieces = re.findall(r"\s*\S+|\s+", text)[:EVENTS]
    assert len(pieces) == EVENTS
    await start(record(tmp_path, "long", pieces, 5_000))
    await slowed(page)
    await page.reload()
    await ask(page, "Go.")
    await page.evaluate(UNTIL_COMPLETE)
    assert max(await long_tasks(page, f"{EVENTS:,} events at 200 a second stream"), default=0) < LONGEST
