"""The list of conversations over HTTP: its pages, its search, and what a change or a deletion does beside the row."""

from typing import Any
from uuid import UUID

import pytest
from django.test import AsyncClient, Client
from django.utils import timezone

from chat.accounts import tokens
from chat.log import feeds, follow
from chat.log.feeds import FeedKey
from chat.models import Conversation, Stream, User
from tests.inside import Core
from tests.unit.test_feeds import reading


def headers_of(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access_for(user)}"}


@pytest.mark.django_db
def test_conversations_of_one_moment_come_on_one_page_each() -> None:
    ann = User.objects.create(username="ann")
    rows = Conversation.objects.bulk_create(Conversation(user=ann, title=f"{number}") for number in range(5))
    Conversation.objects.update(updated_at=timezone.now())
    got: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while query.get("cursor", "") is not None:
        page = Client().get("/v2/conversations", query, headers=headers_of(ann)).json()
        got += [row["id"] for row in page["conversations"]]
        query["cursor"] = page["next"]
    assert got == sorted(str(row.pk) for row in rows)


@pytest.mark.django_db
def test_a_search_for_what_no_database_can_hold_is_refused() -> None:
    ann = User.objects.create(username="ann")
    assert Client().get("/v2/conversations", {"q": "a\0"}, headers=headers_of(ann)).status_code == 400


async def test_deleting_a_conversation_stops_its_running_answer_and_forgets_its_events(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, stopped = await core.ask("words=3 hold=1"), list[UUID]()
    stop = core.turns.stop

    async def noted(stream: Stream) -> str:
        stopped.append(stream.pk)
        return await stop(stream)

    monkeypatch.setattr(core.turns, "stop", noted)
    path = f"/v2/conversations/{running.conversation_id}"
    assert (await AsyncClient().delete(path, headers=headers_of(core.user))).status_code == 204
    assert (stopped, core.turns.running()) == ([running.pk], [])
    assert core.log.tail_of(running.pk) is None


async def test_readers_are_notified_at_once_of_a_new_title(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only at their next poll."""
    monkeypatch.setattr(feeds, "POLL_SECONDS", 3600.0)
    monkeypatch.setattr(follow, "HEARTBEAT", 3600.0)
    found = await Conversation.objects.acreate(user=core.user)
    async with reading(core.log.feeds, FeedKey(core.user.pk)) as reader:
        headers = headers_of(core.user)
        body = {"title": " Tea "}
        await AsyncClient().patch(
            f"/v2/conversations/{found.pk}", body, content_type="application/json", headers=headers
        )
        assert (await reader.told("renamed"))["title"] == "Tea"
