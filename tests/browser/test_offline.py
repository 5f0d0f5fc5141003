"""The page as an app: installable, and with the draft kept where there is no network."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx
from PIL import Image
from playwright.async_api import Browser, Page, Request, expect

from tests.browser.test_page import answer, ask, ended
from tests.servers.wondercam import Serve, WonderCam


def test_the_manifest_names_icons_that_are_there(shared_server: WonderCam, tmp_path: Path) -> None:
    with httpx.Client(base_url=shared_server.url, timeout=90) as client:
        manifest = client.get("/manifest.webmanifest").raise_for_status()
        assert manifest.headers["Content-Type"] == "application/manifest+json"
        icons = [icon for icon in manifest.json()["icons"] if icon["type"] == "image/png"]
        assert {"any", "maskable"} == {icon["purpose"] for icon in icons}
        for icon in icons:
            file = tmp_path / "icon.png"
            file.write_bytes(client.get(icon["src"]).raise_for_status().content)
            with Image.open(file) as image:
                assert f"{image.width}x{image.height}" == icon["sizes"]


async def test_a_page_whose_last_modules_do_not_come_reports_no_error(page: Page, shared_server: WonderCam) -> None:
    """As when it is left before they have: whoever has the fixture `page` is failed by an error that it reports."""
    await page.route("**/installation*.js", lambda route: route.abort())
    async with page.expect_event("requestfailed"):
        await page.goto(shared_server.url)
    await page.evaluate("new Promise((done) => setTimeout(done))")


async def test_without_a_network_the_draft_stands_there_and_comes_back_with_it(chromium: Browser, serve: Serve) -> None:
    server = serve({"WONDERCAM_MODELS": "recording/hello"})
    context = await chromium.new_context(service_workers="allow")
    page = await context.new_page()
    passed: list[str] = []

    def note(request: Request) -> None:
        if request.service_worker:
            passed.append(urlsplit(request.url).path)

    context.on("request", note)
    await page.goto(server.url)
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    await ask(page, "What is this?")
    await ended(page, "complete")
    await page.get_by_label("Your message").fill("And what is")
    address = page.url
    server.kill9()
    await page.reload()
    await expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    assert await page.locator("main").evaluate("main => getComputedStyle(main).maxInlineSize") != "none"
    await expect(page.get_by_label("Your message")).to_have_value("And what is")
    await page.get_by_label("Your message").fill("And what is that?")
    server.restart()
    await page.get_by_role("button", name="Try again").click()
    await expect(answer(page)).to_have_attribute("data-status", "complete")
    await expect(page.get_by_label("Your message")).to_have_value("And what is that?")
    assert page.url == address
    assert [path for path in passed if path.startswith("/v2/")] == []
    await context.close()
