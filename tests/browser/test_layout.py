"""Where things stand on the page: nothing covers another, moves away under a press, or goes out of reach."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.test_camera import PHONE
from tests.browser.test_page import ask, ended
from tests.browser.test_tasks import ANSWER
from tests.servers.chromium import tab
from tests.servers.wondercam import Share, WonderCam

SHIFTS = """
window.__shifts = [];
new PerformanceObserver((list) => window.__shifts.push(...list.getEntries().map(({ value }) => value)))
  .observe({ type: "layout-shift", buffered: true });
"""
"""What each movement of something in view counts for: less than 0.1 in all is good (https://web.dev/articles/cls)."""
FILL = """
from chat.models import Message
last = Message.objects.get(pk="{last}")
for role, text in (("user", "More?"), ("model", {answer!r})):
    last = Message.objects.create(
        conversation=last.conversation, parent=last, role=role, parts=[{{"text": text}}], position=last.position + 1
    )
"""
SEVERAL = {"WONDERCAM_MODELS": "recording/hello,recording/long"}
OVERLAPS = """selector => {
  const boxes = [...document.querySelectorAll(selector)]
    .filter((element) => element.checkVisibility())
    .map((element) => [element.getAttribute("aria-label") ?? element.name, element.getBoundingClientRect()]);
  return boxes.flatMap(([name, box], at) =>
    boxes.slice(at + 1).flatMap(([other, { left, right }]) =>
      left < box.right - 0.5 && right > box.left + 0.5 ? [`${name} and ${other}`] : []));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def server(share: Share) -> WonderCam:
    """One with a choice of models."""
    return await asyncio.to_thread(share, SEVERAL)


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser, server: WonderCam) -> AsyncIterator[Page]:
    """Its page on a phone."""
    async with tab(chromium, **PHONE) as page:
        await page.goto(server.url)
        yield page


async def test_a_press_on_sign_up_is_taken_while_a_field_with_rules_has_the_focus(
    page: Page, server: WonderCam
) -> None:
    """As rules do that go when the focus leaves: the button was elsewhere before the press had ended."""
    await page.goto(f"{server.url}/accounts/signup/")
    await page.locator("#id_username").fill("layout")
    await page.locator("#id_password1").fill("a lighthouse by the sea")
    await page.locator("#id_password2").fill("a lighthouse by the sea")
    button = page.get_by_role("button", name="Sign up")
    await button.scroll_into_view_if_needed()
    box = await button.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 4)
    await page.mouse.down()
    await page.mouse.up()
    await page.wait_for_url(f"{server.url}/")


async def test_after_a_refused_sign_up_the_wrong_field_has_the_focus(page: Page, server: WonderCam) -> None:
    await page.goto(f"{server.url}/accounts/signup/")
    await page.locator("#id_username").fill("refused")
    await page.locator("#id_password1").fill("a lighthouse by the sea")
    await page.locator("#id_password2").fill("another")
    await page.get_by_role("button", name="Sign up").press("Enter")
    await expect(page.locator(".problem")).to_be_visible()
    await expect(page.locator("#id_password2")).to_be_focused()


async def test_no_control_of_the_message_box_covers_another_on_a_phone(phone: Page) -> None:
    await expect(phone.get_by_label("Your message")).to_be_visible()
    assert await phone.evaluate(OVERLAPS, "#composer .bar :is(button, select)") == []


async def test_an_earlier_question_is_changed_and_its_versions_stay_in_reach(page: Page, server: WonderCam) -> None:
    await page.goto(server.url)
    questions = page.locator("article[data-role=user]")
    for count, question in enumerate(("First?", "Second?"), 1):
        await ask(page, question)
        await expect(questions).to_have_count(count)
        await ended(page, "complete")
    await questions.first.hover()
    await questions.first.get_by_label("Edit this question").click()
    await expect(page.get_by_label("Your message")).to_have_value("First?")
    await page.get_by_label("Your message").fill("First, in other words?")
    await page.keyboard.press("Enter")
    await expect(questions).to_have_count(1)
    await ended(page, "complete")
    await ask(page, "Third?")
    await expect(questions).to_have_count(2)
    await ended(page, "complete")
    await questions.first.get_by_label("Earlier version").click()
    await expect(questions.nth(1).locator("[data-part=text]")).to_have_text("Second?")


async def test_a_double_click_on_send_sends_and_does_not_stop_the_answer(page: Page, server: WonderCam) -> None:
    """The button that stops takes the place of the one that sends."""
    await page.goto(server.url)
    await page.get_by_label("Your message").fill("Why is the sky blue?")
    await page.get_by_role("button", name="Send", exact=True).dblclick()
    await ended(page, "complete")
    await expect(page.locator("article")).to_have_count(2)


async def test_what_the_server_refused_is_not_said_to_be_on_its_way(page: Page, server: WonderCam) -> None:
    await page.goto(server.url)
    await ask(page, "word " * 10_000)
    await ended(page, "failed")
    await expect(page.locator("article[data-role=user] [data-part=mark]")).to_have_text("Not sent")


async def test_a_phone_on_its_side_shows_the_welcome_from_its_beginning(phone: Page) -> None:
    await phone.set_viewport_size({"width": 844, "height": 390})
    await phone.reload()
    await expect(phone.get_by_role("heading", name="What are you looking at?")).to_be_in_viewport(ratio=1)
    await expect(phone.get_by_role("button", name="Open the camera")).to_be_in_viewport(ratio=1)
    await expect(phone.locator("#latest")).to_be_hidden()


async def test_the_list_of_chats_comes_from_the_right_where_the_language_does(phone: Page) -> None:
    await phone.evaluate("document.documentElement.dir = 'rtl'")
    await phone.get_by_label("Open the list of chats").tap()
    await phone.wait_for_function(
        "() => document.querySelector('#sidebar').getBoundingClientRect().right === innerWidth"
    )


async def test_nothing_jumps_while_a_chat_is_opened(phone: Page, server: WonderCam) -> None:
    """As a long answer does that is painted while a slow phone still parses it, or is written in slices."""
    await phone.get_by_label("Your message").fill("Why is the sky blue?")
    await phone.get_by_role("button", name="Send", exact=True).tap()
    await ended(phone, "complete")
    last = await phone.locator("article").last.get_attribute("data-id")
    await asyncio.to_thread(server.manage, "shell", "-c", FILL.format(last=last, answer=ANSWER * 40))
    await phone.add_init_script(SHIFTS)
    browser = await phone.context.new_cdp_session(phone)
    await browser.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    await phone.reload()
    await phone.locator("#transcript[data-whole]").wait_for(state="attached")
    assert await phone.evaluate("window.__shifts.reduce((sum, value) => sum + value, 0)") < 0.1


async def test_the_seconds_of_waiting_stay_in_one_line_beside_a_long_notice(phone: Page) -> None:
    lines = await phone.evaluate("""() => {
        const { firstElementChild: message } = document.querySelector("#message").content.cloneNode(true);
        message.dataset.waiting = "yes";
        message.querySelector("[data-part=notice]").textContent = "What is waited for, in a long sentence. ".repeat(3);
        message.querySelector("[data-part=seconds]").textContent = "12 s";
        document.querySelector("#transcript").append(message);
        const seconds = document.createRange();
        seconds.selectNodeContents(message.querySelector("[data-part=seconds]"));
        return seconds.getClientRects().length;
    }""")
    assert lines == 1


WORDS = """element => {
  const words = document.createRange();
  words.selectNodeContents(element);
  return words.getBoundingClientRect().left;
}"""
"""Where they begin."""


async def test_what_wraps_beneath_an_answer_begins_where_the_answer_does(phone: Page) -> None:
    """As the model's name does beside the numbers of versions, on a phone."""
    await phone.get_by_label("Your message").fill("Why is the sky blue?")
    await phone.get_by_role("button", name="Send", exact=True).tap()
    await ended(phone, "complete")
    await phone.get_by_label("Answer once more").last.tap()
    await expect(phone.locator("article .versions:visible").last).to_have_text("2/2")
    await ended(phone, "complete")
    text = await phone.locator("article[data-role=model] [data-part=text] p").first.evaluate(WORDS)
    model = phone.locator("article[data-role=model] [data-part=model]")
    await model.evaluate("element => { element.textContent = 'the-name-of-a-model'; }")
    assert await model.evaluate(WORDS) == text


async def test_what_is_said_of_an_edit_stands_above_its_words(phone: Page) -> None:
    await phone.get_by_label("Your message").fill("Why is the sky blue?")
    await phone.get_by_role("button", name="Send", exact=True).tap()
    await ended(phone, "complete")
    await phone.get_by_label("Edit this question").first.tap()
    said = phone.locator(".composer [data-part=editing]")
    edge = await phone.get_by_label("Your message").evaluate(
        "field => field.getBoundingClientRect().left + parseFloat(getComputedStyle(field).paddingInlineStart)"
    )
    assert await said.evaluate(WORDS) == edge
