"""One's own chats in a real browser: switching without a page load, thumbs, deleting with undo, search, files."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.recorded import record
from tests.browser.test_choosing_photos import choose, photo
from tests.browser.test_page import answer, ask, ended, grown_to
from tests.servers.wondercam import WonderCam, servers


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[WonderCam]:
    """One server for this module: a short answer, a tall one, and a slow one, each by the model of its name."""
    folder = tmp_path_factory.mktemp("recordings")
    env = record(folder, "short", ["It is an old ", "lighthouse."])
    record(folder, "tall", ["A line.\n\n"] * 80)
    record(folder, "slow", ["word "] * 4_000, 50_000)
    env["WONDERCAM_MODELS"] = "recording/short,recording/tall,recording/slow"
    with servers(tmp_path_factory, request) as start:
        yield start(env)


def rows(page: Page) -> Locator:
    """The chats in the list."""
    return page.locator("#conversations li")


async def begin(page: Page, question: str, model: str = "short") -> None:
    """A new chat, without a page load, with a question to this model."""
    await page.get_by_role("link", name="New chat").first.click()
    await expect(page.locator("article")).to_have_count(0)
    await page.get_by_label("Model").select_option(f"recording/{model}")
    await ask(page, question)


async def open_page(page: Page, site: WonderCam) -> None:
    """The page of a new guest, with a mark on it that a page load would wipe out."""
    await page.goto(site.url)
    await page.evaluate("window.__mark = 1")


async def assert_not_loaded_anew(page: Page) -> None:
    """The page is the one that was opened."""
    assert await page.evaluate("window.__mark") == 1


async def test_chats_are_switched_without_a_page_load_and_back_and_forward_keep_the_place(
    page: Page, site: WonderCam
) -> None:
    await open_page(page, site)
    await begin(page, "First", "tall")
    await ended(page, "complete")
    first = page.url
    await begin(page, "Second")
    await ended(page, "complete")
    await expect(rows(page)).to_have_text(["Second", "First"], use_inner_text=True)
    await expect(page.locator("#conversations h2")).to_have_text(["Today"])
    await rows(page).last.get_by_role("link").click()
    await expect(page.locator("#title")).to_have_text("First")
    await expect(rows(page).last.get_by_role("link")).to_have_attribute("aria-current", "page")
    assert page.url == first
    await expect(page.locator("#transcript[data-whole]")).to_be_attached()
    viewport = page.locator("#viewport")
    await viewport.evaluate("(it) => { it.scrollTop -= 300; }")
    await expect(page.locator("#latest")).to_be_visible()
    place = await viewport.evaluate("(it) => it.scrollTop")
    await page.go_back()
    await expect(page.locator("#title")).to_have_text("Second")
    await page.go_forward()
    await expect(page.locator("#title")).to_have_text("First")
    await page.wait_for_function("(y) => Math.abs(document.querySelector('#viewport').scrollTop - y) < 3", arg=place)
    await assert_not_loaded_anew(page)


async def test_an_answer_goes_on_while_another_chat_is_shown_and_the_list_marks_it(page: Page, site: WonderCam) -> None:
    await open_page(page, site)
    await begin(page, "Slowly", "slow")
    await grown_to(page, 20)
    await begin(page, "Quickly")
    await ended(page, "complete")
    slow = rows(page).filter(has_text="Slowly")
    await expect(slow.get_by_title("Being answered")).to_be_visible()
    await slow.get_by_role("link").click()
    await grown_to(page, 20)
    await page.get_by_label("Stop the answer").click()
    await ended(page, "stopped")
    await expect(slow.get_by_title("Being answered")).to_be_hidden()
    await expect(rows(page)).to_have_count(2)
    await assert_not_loaded_anew(page)


async def test_a_deleted_chat_is_back_when_it_is_undone_and_gone_when_the_page_is_left(
    page: Page, site: WonderCam
) -> None:
    await open_page(page, site)
    for question in ("Keep me", "Delete me"):
        await begin(page, question)
        await ended(page, "complete")
    chat = page.url
    doomed = rows(page).filter(has_text="Delete me")
    for undone in (True, False):
        await doomed.hover()
        await doomed.get_by_label("Delete").click()
        await expect(rows(page)).to_have_count(1)
        await expect(page.locator("#undo")).to_contain_text("“Delete me” is deleted.")
        if undone:
            await page.get_by_role("button", name="Undo").click()
            await expect(rows(page)).to_have_count(2)
            await expect(page.locator("#undo")).to_be_hidden()
    await expect(page.locator("article")).to_have_count(0)  # it was the one that was shown
    await page.goto(site.url)
    await expect(rows(page)).to_have_text(["Keep me"], use_inner_text=True)
    gone = await page.goto(chat)
    assert gone is not None
    assert gone.status == 404


async def test_a_chat_is_found_by_what_was_said_in_it_with_the_keyboard_alone(page: Page, site: WonderCam) -> None:
    await open_page(page, site)
    await begin(page, "What stands on that cliff?")
    await ended(page, "complete")
    found = page.url
    await begin(page, "Another", "tall")
    await ended(page, "complete")
    await page.keyboard.press("Control+k")
    options = page.get_by_role("listbox", name="Chats").get_by_role("option")
    await expect(options).to_have_count(2)
    await page.keyboard.type("light OLD")
    await expect(options).to_have_count(1)
    await expect(options).to_contain_text("It is an old lighthouse.")
    await page.keyboard.press("Enter")
    await page.wait_for_url(found)
    await expect(answer(page)).to_contain_text("lighthouse")
    await page.keyboard.press("Control+/")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+Shift+o")
    await page.wait_for_url(f"{site.url}/")
    await assert_not_loaded_anew(page)


async def test_a_thumb_and_its_reason_are_kept_over_a_reload_and_taken_back(page: Page, site: WonderCam) -> None:
    await open_page(page, site)
    await begin(page, "Hello?")
    await ended(page, "complete")
    good, bad = (answer(page).get_by_role("button", name=f"A {kind} answer") for kind in ("good", "bad"))
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await answer(page).get_by_label("What was wrong with it?").fill("Too short.")
    # The thumb alone was kept by an answer of its own, which may come later than the reason is typed.
    async with page.expect_response(lambda answered: "Too short." in (answered.request.post_data or "")) as kept:
        await page.keyboard.press("Enter")
    assert (await (await kept.value).json())["feedback"] == {"value": -1, "reason": "Too short."}
    await expect(bad).to_be_focused()
    await page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(good).to_have_attribute("aria-pressed", "false")
    async with page.expect_response("**/feedback") as withdrawn:
        await bad.click()
    assert (await (await withdrawn.value).json())["feedback"] is None
    await expect(bad).to_have_attribute("aria-pressed", "false")


async def test_draft_photos_stay_with_their_chat_over_a_reload_and_go_with_the_question(
    page: Page, site: WonderCam
) -> None:
    await open_page(page, site)
    previews = page.get_by_label("Photos to send").get_by_role("img")
    async with page.expect_response("**/v2/attachments"):
        await choose(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    await expect(page.locator("#previews [data-sending]")).to_have_count(0)
    await page.reload()
    await expect(previews).to_have_count(1)
    await expect(previews).not_to_have_js_property("naturalWidth", 0)
    await page.get_by_label("Your message").fill("What is this?")
    await page.reload()
    await expect(previews).to_have_count(1)
    await page.get_by_role("button", name="Send").click()
    await ended(page, "complete")
    await expect(page.locator("article[data-role=user] img")).to_have_count(1)
    await expect(previews).to_have_count(0)
    await page.get_by_role("link", name="New chat").first.click()
    await expect(page.locator("article")).to_have_count(0)
    await expect(previews).to_have_count(0)


async def test_an_answer_is_copied_on_plain_http_where_a_page_has_no_clipboard(page: Page, site: WonderCam) -> None:
    await page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await open_page(page, site)
    await begin(page, "Hello?")
    await ended(page, "complete")
    button = answer(page).get_by_label("Copy this answer")
    await button.click()
    await expect(page.locator("#announcer")).to_have_text("Copied.")
    await expect(button).to_be_focused()
    box = page.get_by_label("Your message")
    await box.focus()
    await page.keyboard.press("Control+v")
    await expect(box).to_have_value("It is an old lighthouse.")


async def test_an_answer_of_ones_own_is_replayed_in_a_dialog_as_often_as_one_likes(page: Page, site: WonderCam) -> None:
    await open_page(page, site)
    await begin(page, "What is it?")
    await ended(page, "complete")
    await page.reload()
    await expect(page.locator("#transcript")).to_have_attribute("data-whole", "")
    await answer(page).locator(".times summary").click()
    replay = page.get_by_role("dialog", name="Replay")
    text, time = replay.locator("[data-part=text]"), replay.locator("[data-part=time]")
    for _ in range(2):
        await answer(page).get_by_role("button", name="Replay").click()
        await expect(text).to_have_text("It is an old lighthouse.")
        await replay.get_by_label("Place in the recording").fill("0")
        await expect(time).to_contain_text("0.00 s of")
        await replay.get_by_label("Speed").select_option("16")
        await replay.get_by_role("button", name="Play", exact=True).click()
        await expect(time).to_contain_text("event 3 of 3")
        await expect(text).to_have_text("It is an old lighthouse.")
        await page.keyboard.press("Escape")
        await expect(replay).to_have_count(0)
