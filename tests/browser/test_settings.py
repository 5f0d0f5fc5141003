"""What a reader chooses for this browser shows at once, and from the first byte of the next page."""

from playwright.async_api import Page, expect

from tests.servers.wondercam import WonderCam

GROUND = "getComputedStyle(document.documentElement).backgroundColor"
SIZE = "parseFloat(getComputedStyle(document.documentElement).fontSize)"


async def test_a_theme_and_a_text_size_show_at_once_and_on_the_next_page(page: Page, shared_server: WonderCam) -> None:
    await page.emulate_media(color_scheme="light")
    await page.goto(shared_server.url)
    light, usual = await page.evaluate(GROUND), await page.evaluate(SIZE)
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_role("radio", name="Dark").check()
    await page.get_by_role("radio", name="Largest").check()
    dark = await page.evaluate(GROUND)
    assert dark != light
    assert await page.evaluate(SIZE) > usual
    await page.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)

    answer = await page.goto(f"{shared_server.url}/accounts/signin/")
    assert answer is not None
    assert 'data-theme="dark" data-text-size="largest"' in await answer.text()
    assert await page.evaluate(GROUND) == dark
    assert await page.locator("meta[name=theme-color][media=all]").get_attribute("content") == "#101413"

    await page.goto(shared_server.url)
    await page.get_by_role("button", name="Settings").click()
    await expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    await page.get_by_role("radio", name="System").check()
    assert await page.evaluate(GROUND) == light
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(GROUND) == dark
