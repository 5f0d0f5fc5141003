"""The page that `export_stream --html` writes, opened from the disk in the real browser."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Page

from chat.models import Stream
from chat.protocol import events, recording
from chat.protocol.events import Event
from tests.recorded import LONG, run

pytestmark = pytest.mark.django_db(transaction=True)

BREAK = "document.title = 'broken'"
HOSTILE = f'</script><script>{BREAK}</script><img src=x onerror="{BREAK}">\u2028end'


def exported(source: Path, to: Path) -> tuple[str, str]:
    """The page of a recording, and the answer's text."""
    run("import_stream", source)
    made = Stream.objects.get()
    run("export_stream", made.pk, to, "--html")
    return to.as_uri(), made.answer.text


async def test_it_shows_the_whole_answer_and_plays_it_at_its_pace(page: Page, tmp_path: Path) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    address, text = await sync_to_async(exported)(LONG, tmp_path / "page.html")
    await page.goto(address)
    assert await page.locator("#answer").text_content() == text
    await page.locator("#speed").select_option("0.5")
    await page.get_by_role("button", name="Play").click()
    shown = await page.locator("#answer").text_content()
    assert len(shown or "") < len(text)
    await page.locator("#speed").select_option("4")
    await page.get_by_role("button", name="Play").wait_for()  # it says Pause until it has come to its end
    assert await page.locator("#answer").text_content() == text
    await page.locator("#place").fill("0")
    await page.get_by_role("button", name="Next event").click()
    assert len(await page.locator("#answer").text_content() or "") < 20
    assert complaints == []


async def test_what_a_model_wrote_runs_nothing_in_it(page: Page, tmp_path: Path) -> None:
    said = [events.OK_DATA, events.encode(events.delta(HOSTILE)), events.encode(events.finish("STOP"))]
    log = [Event(seq, seq, data) for seq, data in enumerate(said)]
    (tmp_path / "hostile.jsonl").write_text("".join(recording.dump({"title": HOSTILE}, log)), encoding="utf-8")
    address, text = await sync_to_async(exported)(tmp_path / "hostile.jsonl", tmp_path / "page.html")
    await page.goto(address)
    assert await page.locator("#answer").text_content() == text == HOSTILE
    assert await page.title() != "broken"
    assert await page.locator("img").count() == 0
