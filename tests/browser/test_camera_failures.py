"""No camera, a refused one, an address where there is none: what is wrong, what to do, and a photo all the same."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_camera import HELLO, HIDE, open_camera
from tests.browser.test_page import Start, ended, start
from tests.browser.test_photos import sign
from tests.servers.chromium import WHOLE, tab
from tests.servers.wondercam import Serve

__all__ = ["start"]

TWO = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=2"]
ABSENT = "No camera was found."
DENIED = "This page may not use the camera."
INSECURE = "this page came by plain HTTP"


@pytest.fixture
def chromium_programs() -> list[str]:
    """The headless shell has no permissions that can be refused and given later."""
    return WHOLE


@pytest.fixture
def chromium_flags(request: pytest.FixtureRequest) -> list[str]:
    """What the test says by `indirect`."""
    return list(request.param)


async def fails(page: Page, sentence: str) -> None:
    """Opening the camera ends in that sentence, and a photo can be attached all the same."""
    await page.get_by_role("button", name="Open the camera").click()
    await expect(page.locator("#camera [role=alert]")).to_contain_text(sentence)
    await expect(page.locator("#camera").get_by_role("button", name="Open the camera")).to_be_focused()
    chooser = page.locator("#camera input[type=file][capture=environment]")
    await chooser.set_input_files(sign("GATE 42"))
    await expect(page.locator("#previews li:not([data-sending])")).to_have_count(1)
    await page.get_by_label("Your message").fill("What does it say?")
    await page.get_by_role("button", name="Send").click()
    await ended(page, "complete")


@pytest.mark.parametrize("chromium_flags", [["--use-fake-ui-for-media-stream"]], indirect=True)
async def test_a_machine_without_a_camera(page: Page, start: Start) -> None:
    await start(HELLO)
    await fails(page, ABSENT)


@pytest.mark.parametrize("chromium_flags", [["--use-fake-device-for-media-stream"]], indirect=True)
async def test_a_permission_that_is_refused_and_given_later(page: Page, start: Start) -> None:
    await start(HELLO)
    await page.get_by_role("button", name="Open the camera").click()
    await expect(page.locator("#camera [role=alert]")).to_contain_text(DENIED)
    await page.context.grant_permissions(["camera"])
    await page.locator("#camera").get_by_role("button", name="Open the camera").click()
    await expect(page.locator("#camera")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize("chromium_flags", [[*TWO, "--host-resolver-rules=MAP laptop.test 127.0.0.1"]], indirect=True)
async def test_an_address_on_plain_http(chromium: Browser, serve: Serve) -> None:
    server = serve({**HELLO, "ALLOWED_HOSTS": "laptop.test,127.0.0.1"})
    async with tab(chromium) as page:
        await page.goto(server.url.replace("127.0.0.1", "laptop.test"))
        await fails(page, INSECURE)


@pytest.mark.parametrize("chromium_flags", [TWO], indirect=True)
async def test_the_other_camera_comes_without_a_black_frame_and_is_remembered_for_the_next_opening(
    page: Page, start: Start, tmp_path: Path
) -> None:
    await start(HELLO)
    await open_camera(page)
    chosen = page.locator("#camera select")
    await expect(chosen.locator("option")).to_have_count(2)
    before = await chosen.input_value()
    await page.evaluate("""() => {
        const [video, still] = document.querySelectorAll("#camera :is(video, canvas)");
        window.black = 0;
        const look = () => {
            if (still.hidden && video.readyState < 2) window.black += 1;
            requestAnimationFrame(look);
        };
        look();
    }""")
    await page.get_by_label("Other camera").click()
    await expect(chosen).not_to_have_value(before)
    await expect(page.locator("#camera")).to_have_attribute("data-state", "live")
    assert await light_of_first(page) == "ended"
    assert await page.evaluate("window.black") == 0
    after = await chosen.input_value()
    await page.get_by_label("Close the camera").click()
    await open_camera(page)
    await expect(chosen).to_have_value(after)


async def light_of_first(page: Page) -> str:
    """Whether the camera that was open first is still on."""
    return str(await page.evaluate("window.track.readyState"))


@pytest.mark.parametrize("chromium_flags", [TWO], indirect=True)
async def test_a_screen_is_shown_whole_and_goes_on_while_its_reader_looks_at_it(page: Page, start: Start) -> None:
    await start(HELLO)
    await open_camera(page)
    await page.get_by_label("Show a screen or window instead").click()
    camera = page.locator("#camera")
    await expect(camera).to_have_attribute("data-kind", "screen")
    await expect(camera).to_have_attribute("data-state", "live")
    assert await light_of_first(page) == "ended"
    await page.evaluate(HIDE, True)
    await expect(camera).to_have_attribute("data-state", "live")
    await page.evaluate(HIDE, False)
    await page.get_by_role("button", name="What is this?").click()
    await ended(page, "complete")
    await expect(page.locator("article[data-role=user] img")).to_have_count(1)
    await page.get_by_label("Show a screen or window instead").click()
    await expect(camera).to_have_attribute("data-kind", "camera")
    await expect(camera).to_have_attribute("data-state", "live")
