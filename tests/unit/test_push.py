"""Web Push: subscriptions by the API, and which answers are notified."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from chat.accounts import families, keys, tokens
from chat.log.feeds import FeedKey
from chat.models import Change, Conversation, PushSubscription, Stream, User
from chat.process import this_process
from chat.push.delivery import PushService
from chat.push.notices import Notices
from tests.fakes.push_service import KEY, PLACE, Browser, FakePushService
from tests.faults.arena import until
from tests.inside import Core


@pytest.fixture
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_process(), "notices", Notices(this_process().log, PushService(KEY)))


async def call(method: str, user: User, body: Any, family: str = "here") -> Any:
    credential = await sync_to_async(tokens.access_for)(await User.objects.aget(pk=user.pk), family=family)
    headers = {"Authorization": f"Bearer {credential}"}
    return await AsyncClient().generic(
        method, "/v2/push", json.dumps(body), content_type="application/json", headers=headers
    )


async def subscribed(user: User, browser: Browser, family: str = "here") -> PushSubscription:
    answer = await call("POST", user, browser.subscription, family)
    assert answer.status_code == 204, answer.content
    return await PushSubscription.objects.aget(endpoint=browser.subscription["endpoint"])


@pytest.mark.usefixtures("switched_on")
async def test_a_browser_subscribes_renews_and_unsubscribes(core: Core) -> None:
    browser = Browser()
    row = await subscribed(core.user, browser)
    assert (row.user_id, row.family) == (core.user.pk, "here")
    assert (await call("PATCH", core.user, browser.subscription, "newer")).status_code == 204
    assert (await PushSubscription.objects.aget()).family == "newer"
    assert (await call("DELETE", core.user, {"endpoint": PLACE})).status_code == 204
    assert not await PushSubscription.objects.aexists()
    assert (await call("PATCH", core.user, browser.subscription)).status_code == 404


@pytest.mark.usefixtures("switched_on")
async def test_a_browser_used_by_another_account_loses_the_subscription_of_the_first(core: Core) -> None:
    browser, bob = Browser(), await User.objects.acreate(username="bob")
    await subscribed(core.user, browser)
    assert (await call("DELETE", bob, {"endpoint": PLACE})).status_code == 204
    assert await PushSubscription.objects.aexists()
    assert (await call("PATCH", bob, browser.subscription)).status_code == 404
    assert not await PushSubscription.objects.aexists()
    await subscribed(core.user, browser)
    await subscribed(bob, browser)
    assert (await PushSubscription.objects.aget()).user_id == bob.pk


@pytest.mark.usefixtures("switched_on")
async def test_an_invalid_subscription_is_refused(core: Core) -> None:
    good = Browser().subscription
    for wrong in (
        {**good, "endpoint": "https://10.0.0.1/a"},
        {**good, "keys": {**good["keys"], "p256dh": "AAAA"}},  # type: ignore[dict-item]
        {**good, "keys": {**good["keys"], "auth": "ü"}},  # type: ignore[dict-item]
        {"endpoint": PLACE},
    ):
        assert (await call("POST", core.user, wrong)).status_code == 400, wrong
    assert not await PushSubscription.objects.aexists()


async def test_without_keys_the_route_says_how_to_turn_it_on(core: Core) -> None:
    answer = await call("POST", core.user, Browser().subscription)
    assert answer.status_code == 404
    assert "make_push_keys" in answer.json()["error"]["message"]


@pytest.mark.usefixtures("switched_on")
async def test_an_api_key_cannot_subscribe(core: Core) -> None:
    _, raw_key = await sync_to_async(keys.give)(core.user, "laptop", [], None)
    answer = await AsyncClient().post(
        "/v2/push",
        json.dumps(Browser().subscription),
        content_type="application/json",
        headers={"Authorization": f"Bearer {raw_key}"},
    )
    assert answer.status_code == 403


@pytest.mark.usefixtures("switched_on")
async def test_the_eleventh_browser_replaces_the_oldest(core: Core) -> None:
    for number in range(11):
        await subscribed(core.user, Browser(f"https://push.example.com/{number}"))
    left = {row.endpoint.rpartition("/")[2] async for row in PushSubscription.objects.all()}
    assert left == {str(number) for number in range(1, 11)}


@pytest.mark.usefixtures("switched_on")
async def test_a_sign_out_and_the_end_of_the_account_delete_the_subscription(core: Core) -> None:
    await subscribed(core.user, Browser())
    await sync_to_async(families.end)("here")
    assert not await PushSubscription.objects.aexists()
    await subscribed(core.user, Browser(), "there")
    await sync_to_async(families.end)("here")
    assert await PushSubscription.objects.aexists(), "that of another sign-in stays"
    await User.objects.filter(pk=core.user.pk).adelete()
    assert not await PushSubscription.objects.aexists()


# Which answers are notified


@pytest.fixture
async def site(core: Core, tmp_path: Path, switched_on: None) -> AsyncIterator["Site"]:
    fake = FakePushService(tmp_path)
    async with fake.server:
        found = Site(core, fake, Browser())
        found.row = await subscribed(core.user, found.browser)
        yield found
        await found.notices.close()


class Site:
    """A user with a browser, and the process that tells it."""

    row: PushSubscription

    def __init__(self, core: Core, fake: FakePushService, browser: Browser) -> None:
        self.core, self.fake, self.browser = core, fake, browser
        self.notices = Notices(core.log, fake.service())

    async def answered(self, question: str = "words=3 gap=0", reader: bool = False) -> Stream:
        """A turn that has ended a while ago, read or not."""
        stream = await self.core.ask(question)
        if reader:
            await self.core.ended(stream)
        await until(lambda: stream.pk not in self.core.turns.running(), "the turn ended")
        await Change.objects.aupdate(at=timezone.now() - timedelta(minutes=1))
        return stream

    async def told(self) -> list[dict[str, Any]]:
        """The notifications that the browser has received after this process has checked."""
        await self.notices.look()
        await self.notices.settled()
        return [self.browser.read(request.body) for request in self.fake.server.requests]


async def test_a_browser_is_notified_once_of_an_answer_that_nobody_read(site: Site) -> None:
    stream = await site.answered()
    title = (await Conversation.objects.aget()).title
    expected = {"conversation": str(stream.conversation_id), "title": title, "status": "complete"}
    assert await site.told() == [expected]
    assert await site.told() == [expected]
    await site.answered("then=500")
    assert [each["status"] for each in await site.told()] == ["complete", "failed"]


async def test_two_processes_send_one_notification(site: Site) -> None:
    await site.answered()
    other = Notices(site.core.log, site.fake.service())
    await asyncio.gather(site.notices.look(), other.look())
    await asyncio.gather(site.notices.settled(), other.settled())
    await other.close()
    assert len(site.fake.server.requests) == 1


async def test_an_answer_that_was_read_or_stopped_is_not_notified(site: Site) -> None:
    stream = await site.core.ask("words=2000 gap=50")
    await site.core.turns.stop(stream)
    await site.answered("words=30 gap=2", reader=True)
    assert await site.told() == []
    assert (await PushSubscription.objects.aget()).told == (await Change.objects.filter(kind="ended").alast()).pk


async def test_no_notification_is_sent_while_the_feed_is_read(site: Site) -> None:
    async def read() -> None:
        async for _ in site.core.log.feeds.follow(FeedKey(site.core.user.pk)):
            pass

    page = asyncio.create_task(read())
    await until(lambda: page.done() or site.core.log.feeds.is_read(site.core.user.pk), "the feed is read")
    assert not page.done(), page
    await site.answered()
    assert await site.told() == []
    page.cancel()
    await asyncio.gather(page, return_exceptions=True)
    assert await site.told() == []
    await site.answered()
    assert len(await site.told()) == 1


async def test_a_notification_waits_some_seconds_for_the_page_to_return(site: Site) -> None:
    await site.answered()
    await Change.objects.aupdate(at=timezone.now())
    assert await site.told() == []
    await Change.objects.aupdate(at=timezone.now() - timedelta(minutes=1))
    assert len(await site.told()) == 1


async def test_of_many_chats_only_the_newest_three_are_notified(site: Site) -> None:
    for _ in range(5):
        await site.answered()
    newest = [str(row.pk) async for row in Conversation.objects.order_by("created_at")][-3:]
    assert sorted(each["conversation"] for each in await site.told()) == sorted(newest)


@pytest.mark.parametrize("ends", ["version", "expiry", "deletion"])
async def test_after_the_end_of_the_right_to_read_nothing_is_sent(site: Site, ends: str) -> None:
    await site.answered()
    if ends == "version":
        await sync_to_async(site.core.user.end_tokens)()
    elif ends == "expiry":
        await PushSubscription.objects.aupdate(expires_at=timezone.now())
    else:
        await Conversation.objects.all().adelete()
    assert await site.told() == []
    assert await PushSubscription.objects.aexists() is (ends != "version")


async def test_a_subscription_that_the_push_service_reports_as_gone_is_deleted(site: Site) -> None:
    site.fake.status = 410
    await site.answered()
    await site.told()
    assert not await PushSubscription.objects.aexists()


async def test_a_subscription_is_deleted_after_five_failures(site: Site) -> None:
    site.fake.status = 500
    for left in (True, True, True, True, False):
        await site.answered()
        await site.told()
        assert await PushSubscription.objects.aexists() is left
