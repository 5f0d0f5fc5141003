"""Web Push in the page: a control that asks, and a service worker that shows what comes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Worker, expect

from chat.push.keys import SiteKey
from tests.browser.test_page import ask, ended
from tests.servers.chromium import WHOLE
from tests.servers.wondercam import Serve, WonderCam

PUSH_SERVICE = """
const made = { endpoint: "https://push.example.com/one", options: {},
  unsubscribe: async () => { kept = null; return true; },
  toJSON: () => ({ endpoint: made.endpoint, expirationTime: null, keys: {
    p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    auth: "BTBZMqHH6r4Tts7J_aSIgg" } }) };
let kept = null;
PushManager.prototype.subscribe = async (options) => { kept = made; return made; };
PushManager.prototype.getSubscription = async () => kept;
"""
"""No push service is on this machine."""

CLICK = """async () => {
  const [shown] = await registration.getNotifications();
  return new Promise((resolve) => {
    Object.defineProperty(clients, "openWindow", { value: async (path) => resolve(path) });
    dispatchEvent(new NotificationEvent("notificationclick", { notification: shown }));
  });
}"""

SHOWN = """async () => {
  const worker = await navigator.serviceWorker.ready;
  for (;;) {
    const [shown] = await worker.getNotifications();
    if (shown) return `${shown.title}: ${shown.body}`;
    await new Promise((again) => setTimeout(again, 20));
  }
}"""


@pytest.fixture
def chromium_programs() -> list[str]:
    """The headless shell shows no notifications."""
    return WHOLE


@pytest.fixture
def pushing(serve: Serve) -> WonderCam:
    keys = {"WONDERCAM_PUSH_KEY": SiteKey.new(), "WONDERCAM_PUSH_CONTACT": "mailto:ops@example.com"}
    return serve({"WONDERCAM_MODELS": "recording/hello", **keys})


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser, pushing: WonderCam) -> AsyncIterator[Page]:
    context = await chromium.new_context(service_workers="allow")
    context.set_default_timeout(90_000)
    await context.grant_permissions(["notifications"], origin=pushing.url)
    await context.add_init_script(PUSH_SERVICE)
    page = await context.new_page()
    await page.goto(pushing.url)
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    yield page
    await context.close()


async def deliver(page: Page, url: str, message: str) -> None:
    """As a push service would, once the message is decrypted."""
    session = await page.context.new_cdp_session(page)
    ids: list[str] = []

    def note(event: dict[str, Any]) -> None:
        of_the_page = [each for each in event["registrations"] if each["scopeURL"].startswith(url)]
        ids.extend(each["registrationId"] for each in of_the_page if not each["isDeleted"])

    session.on("ServiceWorker.workerRegistrationUpdated", note)
    await session.send("ServiceWorker.enable")
    await page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    assert ids
    given = {"origin": url, "registrationId": ids[-1], "data": message}
    await session.send("ServiceWorker.deliverPushMessage", given)


async def test_a_reader_is_told_after_asking_for_it_and_a_click_opens_the_chat(page: Page, pushing: WonderCam) -> None:
    await ask(page, "What is this?")
    await ended(page, "complete")
    chat = page.url.removeprefix(pushing.url)
    await page.get_by_role("button", name="Settings").click()
    box = page.get_by_role("checkbox", name="Tell me when an answer is ready")
    await expect(box).not_to_be_checked()
    async with page.expect_response("**/v2/push") as told:
        await box.check()
    assert (await told.value).status == 204
    await expect(box).to_be_enabled()
    await expect(box).to_be_checked()

    await page.goto(pushing.url)
    await deliver(page, pushing.url, f'{{"conversation": "{chat[3:]}", "title": "A roof", "status": "complete"}}')
    async with asyncio.timeout(90):
        assert await page.evaluate(SHOWN) == "A roof: The answer is ready."
    worker: Worker = page.context.service_workers[0]
    assert await worker.evaluate(CLICK) == chat
    assert await worker.evaluate("registration.getNotifications().then((left) => left.length)") == 0


async def test_without_keys_there_is_no_such_control(chromium: Browser, shared_server: WonderCam) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(shared_server.url)
    await page.get_by_role("button", name="Settings").click()
    await expect(page.get_by_role("radio", name="System")).to_be_visible()
    await expect(page.get_by_role("checkbox", name="Tell me when an answer is ready")).to_have_count(0)
    await context.close()
