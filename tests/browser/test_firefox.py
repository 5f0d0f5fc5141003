"""The journeys of the page in Firefox: one browser and one server for all of them."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from tests.browser.recorded import record
from tests.faults.arena import environment
from tests.faults.upstream import Model, Script, upstream
from tests.servers.firefox import Firefox, FirefoxTab
from tests.servers.wondercam import Serve, Share, WonderCam

HELD = "words=40 hold=20"
"""Its answer stays in its middle until it is let."""
ANSWER = "[...document.querySelectorAll('article[data-role=model]')].at(-1)"
TEXT = f"{ANSWER}?.querySelector('[data-part=text]').textContent"

T = TypeVar("T")


class ModelThread:
    """The scripted model on an event loop of its own: the browser is waited for without one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model", daemon=True)
        self._thread.start()
        self._upstream = upstream()
        self._model: Model = self._run(self._upstream.__aenter__())
        self.url = self._model.url

    def let(self, words: int) -> None:
        """So many held words are said."""
        self._loop.call_soon_threadsafe(self._model.let, words)

    def close(self) -> None:
        """End it, and its loop."""
        self._run(self._upstream.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@pytest.fixture(scope="module")
def model() -> Iterator[ModelThread]:
    found = ModelThread()
    yield found
    found.close()


@pytest.fixture(scope="module")
def site(share: Share, model: ModelThread) -> WonderCam:
    return share(environment(model.url))


@pytest.fixture
def tab(firefox: Firefox, site: WonderCam) -> Iterator[FirefoxTab]:
    with firefox.tab() as tab:
        tab.goto(site.url)
        yield tab


def ask(tab: FirefoxTab, question: str) -> None:
    tab.fill("#question", question)
    tab.keys("Enter")


def ended(tab: FirefoxTab, status: str) -> None:
    tab.until(f"{ANSWER}?.dataset.status === '{status}' && 'whole' in document.getElementById('transcript').dataset")


def copied(tab: FirefoxTab) -> str:
    """The newest answer as the Markdown that it is, which the server has."""
    conversation = tab.evaluate("location.pathname").removeprefix("/c/")
    answer = tab.promised(ALL_OF.replace("ID", conversation))
    return str(answer)


ALL_OF = """(async () => {
  const token = document.cookie.match(/wccsrf=([^;]+)/)[1];
  const session = await fetch("/v2/auth/session", { method: "POST", headers: { "X-CSRFToken": token } });
  const headers = { Authorization: `Bearer ${(await session.json()).access}` };
  const kept = await fetch("/v2/conversations/ID", { headers });
  return (await kept.json()).messages.at(-1).text;
})()"""


def test_an_answer_streams_and_goes_on_after_a_reload(tab: FirefoxTab, model: ModelThread) -> None:
    ask(tab, HELD)
    tab.until(f"{TEXT}?.length > 40 && {ANSWER}.dataset.status === 'running'")
    assert "/c/" in tab.evaluate("location.pathname")
    tab.reload()
    tab.until(f"{TEXT}?.length > 40 && {ANSWER}.dataset.status === 'running'")
    model.let(20)
    ended(tab, "complete")
    assert copied(tab) == Script(words=40).text
    shown = tab.evaluate(TEXT)
    tab.reload()
    ended(tab, "complete")
    assert tab.evaluate(TEXT) == shown


def test_stop_keeps_what_was_written(tab: FirefoxTab) -> None:
    ask(tab, HELD)
    tab.until(f"{TEXT}?.length > 40")
    tab.press("[data-part=stop]")
    ended(tab, "stopped")
    assert copied(tab) == Script(words=20).text
    assert "This answer was stopped." in tab.evaluate(f"{ANSWER}.innerText")


def test_a_photo_is_chosen_sent_and_still_shown_after_a_reload(tab: FirefoxTab, tmp_path: Path) -> None:
    photo = tmp_path / "roof.jpg"
    Image.new("RGB", (600, 400), "teal").save(photo)
    tab.choose("#files", photo)
    tab.until("document.querySelector('#previews li:not([data-sending])')?.isConnected")
    ask(tab, "What is this? words=3")
    ended(tab, "complete")
    shown = "document.querySelector('article[data-role=user] img')?.naturalWidth > 0"
    tab.until(shown)
    tab.reload()
    ended(tab, "complete")
    tab.until(shown)


def test_a_guest_signs_up_and_finds_the_chats_after_signing_in_again(tab: FirefoxTab) -> None:
    ask(tab, "Remember me words=3")
    ended(tab, "complete")
    tab.press(".sidebar footer a[href$='/signup/']")
    tab.fill("#id_username", "ada")
    for field in ("#id_password1", "#id_password2"):
        tab.fill(field, "correct horse battery")
    tab.keys("Enter")
    tab.until("document.querySelector('#conversations li')?.textContent.includes('Remember me')")
    tab.press(".sidebar footer form[action$='/signout/'] button")
    tab.press(".sidebar footer a[href$='/signin/']")
    tab.fill("#id_username", "ada")
    tab.fill("#id_password", "correct horse battery")
    tab.keys("Enter")
    tab.press("#conversations li a")
    ended(tab, "complete")


def test_code_gets_its_colours_from_the_worker(firefox: Firefox, serve: Serve, tmp_path: Path) -> None:
    site = serve(record(tmp_path, "code", ["```py\n" + "print(3)\n" * 800 + "```\n"]))
    with firefox.tab() as tab:
        tab.goto(site.url)
        ask(tab, "Show me.")
        ended(tab, "complete")
        tab.until(f"{ANSWER}.querySelectorAll('.hl-number').length === 800")
        code = f"{ANSWER}.querySelector('pre code')"
        selected = tab.evaluate(f"(getSelection().selectAllChildren({code}), getSelection().toString())")
        assert selected == ("print(3)\n" * 800).rstrip()


def test_on_a_phone_in_the_dark_all_is_in_view_and_can_be_pressed(tab: FirefoxTab) -> None:
    tab.resize(390, 844)
    tab.press("[data-do=open-sidebar]")
    tab.press("[data-do=open-settings]")
    tab.press("input[name=theme][value=dark]")
    ground = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(16, 20, 19)"
    tab.press(".settings .choices button")
    tab.press(".sidebar [data-do=close-sidebar]")
    ask(tab, "words=30")
    ended(tab, "complete")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.evaluate("document.getElementById('question').getBoundingClientRect().bottom") <= 844
    tab.reload()
    ended(tab, "complete")
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ground
