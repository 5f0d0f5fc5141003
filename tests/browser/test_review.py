"""A reviewer at work, by keyboard: the queue, a session with its replay, a verdict, and the next session."""

import asyncio
import re
import sqlite3

import pytest
from playwright.async_api import Page, expect

from tests.recorded import HELLO, LONG
from tests.servers.wondercam import Serve, WonderCam

PREPARE = f"""
from django.contrib.auth.models import Group
from django.core.management import call_command
from chat.models import User
for recording in ({str(HELLO)!r}, {str(LONG)!r}):
    call_command("import_stream", recording)
rea = User.objects.create_user("rea", password="a-password-of-words", is_staff=True)
rea.groups.add(Group.objects.get(name="Reviewers"))
"""

AT_THE_END = re.compile(r"event (\d+) of \1$")
HEARD = "html[data-keys=heard]"
"""A page that listens to keys."""


def prepared(serve: Serve) -> WonderCam:
    """A server with two recorded answers and a reviewer."""
    server = serve()
    server.manage("shell", "-c", PREPARE)
    return server


def verdicts(server: WonderCam) -> list[tuple[int, str]]:
    """(score, note) of each verdict."""
    database = sqlite3.connect(server.data_dir / "wondercam.sqlite3")
    try:
        return database.execute("SELECT score, note FROM chat_verdict ORDER BY id").fetchall()
    finally:
        database.close()


async def sign_in(server: WonderCam, page: Page, address: str) -> None:
    """As the reviewer, who is led to this page of the admin."""
    await page.goto(f"{server.url}/admin/login/?next={address}")
    await page.get_by_label("Username").fill("rea")
    await page.get_by_label("Password").fill("a-password-of-words")
    await page.keyboard.press("Enter")


@pytest.mark.timeout(600)
async def test_a_reviewer_takes_the_next_session_replays_it_and_files_a_verdict(serve: Serve, page: Page) -> None:
    server = await asyncio.to_thread(prepared, serve)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.text} {message.location}"))
    await sign_in(server, page, "/admin/chat/stream/")
    await page.get_by_role("button", name="Hide texts").click()
    await expect(page.get_by_text("Texts are hidden.")).to_be_visible()
    await page.get_by_role("button", name="Show texts").click()
    await page.get_by_role("link", name="Operations now").click()
    await expect(page.get_by_role("heading", name="The last 24 hours")).to_be_visible()
    await page.goto(f"{server.url}/admin/chat/verdict/")
    await expect(page.locator(".queue li")).to_have_count(2)
    await page.locator(HEARD).wait_for(state="attached")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")

    replay = page.get_by_label("Replay", exact=True)
    play = replay.locator("[data-part=play]")
    await expect(play).to_be_enabled()
    await expect(replay.locator("[data-part=time]")).to_have_text(AT_THE_END)
    await expect(replay.locator("[data-part=text]")).not_to_be_empty()
    await replay.get_by_label("Place in the recording").fill("0")
    await expect(replay.locator("[data-part=text]")).to_have_text("")
    await expect(replay.locator("[data-part=time]")).to_contain_text("event 0 of")
    await replay.get_by_role("button", name="Next event").click()
    await replay.get_by_role("button", name="Next event").click()
    await expect(replay.locator("[data-part=time]")).to_contain_text("event 1 of")
    await expect(replay.locator("[data-part=clocks]")).to_contain_text("event 1: arrived")
    await replay.get_by_label("Speed").select_option("16")
    await play.click()
    await expect(replay.locator("[data-part=time]")).to_have_text(AT_THE_END)
    await expect(replay.locator("[data-part=text]")).not_to_be_empty()

    await page.locator(HEARD).wait_for(state="attached")
    first = page.url
    await play.focus()
    await page.keyboard.press("4")
    await page.get_by_label("Note").fill("Clear n and 5")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url(lambda url: "/verdict/" in url and url != first)
    assert verdicts(server) == [(4, "Clear n and 5")]
    await page.locator(HEARD).wait_for(state="attached")
    await page.keyboard.press("2")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("Nothing waits here.")).to_be_visible()
    assert [score for score, _ in verdicts(server)] == [4, 2]
    assert [said for said in complaints if "favicon" not in said] == []
