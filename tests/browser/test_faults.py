"""Whatever a model's server does, the page says what happened and what can be done, and keeps what came before."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.test_page import answer, ask, ended
from tests.fakes import gemini
from tests.fakes.server import Server
from tests.servers.wondercam import Serve, WonderCam
from tests.unit.providers.test_gemini import REASONS
from tests.unit.providers.test_providers import self_signed

PARTIAL = "".join(gemini.WORDS[:2])
AGAIN = "Try again, or choose another model."
KEPT = "AIza-very-secret"
IN_5_S = "Try again in 5 s, or choose another model."
KEY = "Gemini did not accept this server's key. Its operator must look at it. Choose another model."
ODD = f"Gemini sent something that is no answer. {AGAIN}"
AWAY = f"Gemini is not available at the moment. {IN_5_S}"
CUT = f"Gemini was cut off before the answer's end. {AGAIN}"
ADDRESS = (
    "Gemini cannot be asked at the address that is set. This server's operator must look at it. Choose another model."
)
MIDDLE = f"Gemini ended the answer in the middle. {AGAIN}"

REFUSALS = {
    "400": "Gemini did not accept this request. Change it, then send it again.",
    "401": KEY,
    "403": KEY,
    "404": "Gemini does not know this model. Choose another model.",
    "429": f"Gemini takes no more requests for now. {IN_5_S}",
    "quota": "Gemini takes no more requests for now. Try again in 77 s, or choose another model.",
    "blocked": "Gemini refused this message for safety reasons. Say it in other words, or choose another model.",
}
"""Refusals that do not speak against the server."""

BEFORE = {
    "500": f"Gemini failed on its side. {AGAIN}",
    "503": AWAY,
    "504": f"Gemini took too long. {AGAIN}",
    "stall-before": f"gemini/stall-before did not begin to answer within 3 seconds. {AGAIN}",
    "comments-before": f"gemini/comments-before did not begin to answer within 3 seconds. {AGAIN}",
    "cut-before": CUT,
    "empty": f"gemini/empty ended without an answer. {AGAIN}",
    "error-list": AWAY,
    "redirect": ADDRESS,
    "page": f"Gemini sent a web page instead of an answer. {AGAIN}",
    "bomb": f"Gemini sent a compressed answer that cannot be read. {AGAIN}",
    "endless-headers": ODD,
}
"""Failures before the first word: five in a row, and the server would be left alone."""

BETWEEN = {
    "stall-between": (PARTIAL, f"gemini/stall-between stopped responding in the middle of the answer. {AGAIN}"),
    "comments-between": (PARTIAL, f"gemini/comments-between stopped responding in the middle of the answer. {AGAIN}"),
    "cut": (PARTIAL, CUT),
    "truncated": ("".join(gemini.WORDS[:-1]), f"gemini/truncated ended the answer in the middle. {AGAIN}"),
    "mid-json": ("".join(gemini.WORDS[:-1]), MIDDLE),
    "mid-utf8": (PARTIAL, MIDDLE),
    "error-data": (PARTIAL, AWAY),
    "error-bare": (PARTIAL, AWAY),
    "error-pretty": (PARTIAL, AWAY),
    "error-pretty-data": (PARTIAL, AWAY),
    "garbage": (PARTIAL, ODD),
    "not-an-object": (PARTIAL, ODD),
    "wrong-shape": (PARTIAL, ODD),
    "long-line": (PARTIAL, f"Gemini sent more in one piece than this server accepts. {AGAIN}"),
}
"""Failures in the middle: what came before stays."""

WHOLE = ["hello", "stop-always", "stop-twice", "text-after-stop", "usage-after-stop", "bytewise"]
TLS = "The OpenAI-compatible server cannot be reached at the moment. Try again in 5 s, or choose another model."


LISTEN = """() => {
  window.__heard = [];
  for (const place of document.querySelectorAll("[aria-live], [role=alert], [role=status], [role=log]"))
    new MutationObserver(() => window.__heard.push(place.textContent)).observe(place, {
      characterData: true, childList: true, subtree: true,
    });
}"""
"""What a screen reader would speak from now on."""


@pytest_asyncio.fixture(loop_scope="session")
async def behind() -> AsyncIterator[Server]:
    """A Gemini of which each model is a fault."""
    async with Server(gemini.play) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def server(behind: Server, serve: Serve, tmp_path: Path) -> AsyncIterator[WonderCam]:
    """WonderCam before it, and before a server with a certificate that nobody vouches for."""
    names = [*REFUSALS, *BEFORE, *BETWEEN, *WHOLE, "fast", *REASONS]
    async with Server(gemini.play, self_signed(tmp_path)) as doubtful:
        env = {
            "WONDERCAM_MODELS": ",".join([*(f"gemini/{name}" for name in names), "openai/tls"]),
            "GEMINI_API_KEY": KEPT,
            "GEMINI_BASE_URL": behind.url,
            "OPENAI_BASE_URL": f"{doubtful.url}/v1",
            "WONDERCAM_UPSTREAM_ATTEMPTS": "1",
            "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "3",
            "WONDERCAM_LIMIT_IDLE_SECONDS": "3",
        }
        yield await asyncio.to_thread(serve, env)


async def uncounted(page: Page) -> None:
    """The seconds of the sentences stay as the server said them."""
    await page.route(re.compile(r"/chat/countdown\."), lambda route: route.abort())


async def outcome(page: Page, model: str, status: str) -> tuple[str, str]:
    """Ask that model in the page; what stands there in the end: the answer's text and the sentence under it."""
    await page.locator("select[name=model]").select_option(model)
    await ask(page, f"What does {model} do?")
    await expect(page.locator("article[data-role=user]").last).to_contain_text(model)
    await ended(page, status)
    return await shown(page)


async def shown(page: Page) -> tuple[str, str]:
    """The newest answer's text, and its sentence with what can be done, as far as they can be seen."""
    sentence = answer(page).locator("[data-part=sentence]")
    said = await sentence.inner_text() if await sentence.is_visible() else ""
    assert await answer(page).get_by_role("button", name="Try again").is_visible() == bool(said)
    return str(await answer(page).locator("[data-part=text]").inner_text()), said


def flat(text: str) -> str:
    """A text as a page lays it out."""
    return " ".join(text.split())


def expected() -> dict[str, tuple[str, str]]:
    """Every fault's text and sentence, in an order in which no five failures come in a row."""
    alone, failures = list(REFUSALS.items()), list(BEFORE.items())
    rows = [row for at, refusal in enumerate(alone) for row in (*failures[2 * at : 2 * at + 2], refusal)]
    return {name: ("", said) for name, said in rows} | {
        name: (flat(text), said) for name, (text, said) in BETWEEN.items()
    }


async def test_every_fault_of_an_upstream_is_a_sentence_to_act_on(page: Page, server: WonderCam, behind: Server):
    await uncounted(page)
    await page.goto(server.url)
    found = {name: await outcome(page, f"gemini/{name}", "failed") for name in expected()}
    tls = await outcome(page, "openai/tls", "failed")
    behind._server.close()
    gone = await outcome(page, "gemini/hello", "failed")
    sentences = page.locator("article[data-role=model] [data-part=sentence]")
    live = await sentences.all_text_contents()

    assert {name: (flat(text), said) for name, (text, said) in found.items()} == expected()
    assert tls == ("", TLS)
    assert gone == ("", f"Gemini cannot be reached at the moment. {IN_5_S}")
    assert len(live) == len(found) + 2
    await page.reload()
    await expect(sentences).to_have_count(len(live))  # older ones are painted in idle time
    assert await sentences.all_text_contents() == live
    assert KEPT not in server.log + await page.content()


async def test_every_reason_but_a_good_one_is_a_sentence_to_act_on_and_stays_after_a_reload(
    page: Page, server: WonderCam
):
    await page.goto(server.url)
    found = {reason: await outcome(page, f"gemini/{reason}", "complete") for reason in REASONS}
    sentences = page.locator("article[data-role=model] [data-part=sentence]")
    live = await sentences.all_text_contents()

    assert found.pop("STOP") == ("x", "")
    assert {text for text, _ in found.values()} == {"x"}
    for reason, (_, said) in found.items():
        assert "SAFETY" not in said, reason
        await expect(page.get_by_text(said).first).to_be_visible()
    assert all(len(said) > 30 for _, said in found.values())
    await page.reload()
    await expect(sentences).to_have_count(len(live))
    assert await sentences.all_text_contents() == live


async def test_ends_that_only_look_strange_are_whole_answers(page: Page, server: WonderCam):
    await page.goto(server.url)
    for name in WHOLE:
        text, said = await outcome(page, f"gemini/{name}", "complete")
        assert (flat(text), said) == (flat(gemini.TEXT), ""), name
    text, said = await outcome(page, "gemini/fast", "complete")
    assert (len(flat(text)), said) == (len("tick ") * 10_000 + 1, "")


async def test_the_seconds_after_a_failure_are_counted_down_in_silence_and_from_its_end(page: Page, server: WonderCam):
    await page.goto(server.url)
    await outcome(page, "gemini/503", "failed")
    await page.evaluate(LISTEN)
    sentence, again = answer(page).locator("[data-part=sentence]"), answer(page).get_by_role("button", name="Try again")
    await expect(sentence).to_have_text(re.compile(r"Try again in [1-4] s, or choose another model\.$"))
    early = await again.evaluate("button => getComputedStyle(button).fontWeight")
    await expect(sentence).to_have_text(f"Gemini is not available at the moment. {AGAIN}")
    assert (early, await again.evaluate("button => getComputedStyle(button).fontWeight")) == ("400", "600")
    assert await page.evaluate("window.__heard") == []
    await page.reload()
    await expect(sentence).to_have_text(f"Gemini is not available at the moment. {AGAIN}")


async def test_another_model_can_be_chosen_and_asked_the_same_again(page: Page, server: WonderCam):
    await uncounted(page)
    await page.goto(server.url)
    assert (await outcome(page, "gemini/503", "failed"))[1] == AWAY
    await page.locator("select[name=model]").select_option("gemini/hello")
    await page.get_by_role("button", name="Try again").click()
    await ended(page, "complete")
    text, said = await shown(page)
    assert (flat(text), said) == (flat(gemini.TEXT), "")
    await expect(page.locator("article")).to_have_count(2)
