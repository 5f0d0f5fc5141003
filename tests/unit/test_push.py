"""Web Push: what is sent, to whom, by what right, and where to nothing is ever sent."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp.abc import AbstractResolver
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import AsyncClient
from django.utils import timezone

from chat.accounts import families, keys, tokens
from chat.log.feeds import FeedKey
from chat.models import Change, Conversation, PushSubscription, Stream, User
from chat.process import this_process
from chat.protocol.errors import InvalidArgument
from chat.push import endpoint
from chat.push.delivery import Notice, Outcome, PushService
from chat.push.encryption import Recipient, derived
from chat.push.keys import CURVE, SiteKey, decoded, encoded, raw
from chat.push.notices import Notices
from tests.fakes.server import Reply, Request, Server
from tests.faults.arena import until
from tests.inside import Core
from tests.unit.providers.test_providers import self_signed
from wondercam.push import push

GOOD = encoded(bytes([1] * 32))
KEY = SiteKey(GOOD, "mailto:ops@example.com")
PLACE = "https://push.example.com/send/one"
NOTICE = Notice("0198c3b0-0000-7000-8000-000000000000", "A cat on a roof", "complete")


class Browser:
    """The receiving end: what it tells the site, and how it reads what comes (RFC 8291, 3)."""

    def __init__(self, place: str = PLACE) -> None:
        self.key = ec.generate_private_key(CURVE)
        self.auth = b"sixteen bytes it"
        self.subscription = {
            "endpoint": place,
            "keys": {"p256dh": encoded(raw(self.key.public_key())), "auth": encoded(self.auth)},
        }

    def read(self, body: bytes) -> dict[str, Any]:
        salt, length = body[:16], body[20]
        sender = body[21 : 21 + length]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        info = b"WebPush: info\0" + raw(self.key.public_key()) + sender
        secret = derived(shared, self.auth, info, 32)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        text = AESGCM(key).decrypt(nonce, body[21 + length :], None).rstrip(b"\0")
        assert text.endswith(b"\x02")
        return dict(json.loads(text[:-1]))


def test_a_message_is_sealed_as_in_the_specification() -> None:
    """RFC 8291, appendix A; there without padding, so this one is shorter by it."""
    recipient = Recipient(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
    )
    number = int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    sender, salt = ec.derive_private_key(number, CURVE), decoded("DGv6ra1nlYgDCS1FRnbzlw")
    body = recipient.encrypt(b"When I grow up, I want to be a watermelon", sender, salt)
    expected = decoded(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    text = len(b"When I grow up, I want to be a watermelon\x02")
    assert body[: 86 + text] == expected[: 86 + text]
    assert (len(body) - 86 - 16) % 256 == 0


def test_titles_of_every_length_give_messages_of_one_length() -> None:
    browser = Browser()
    recipient = Recipient(**browser.subscription["keys"])  # type: ignore[arg-type]
    sealed = [recipient.encrypt(json.dumps({"title": "x" * length}).encode()) for length in (0, 40, 200)]
    assert len({len(body) for body in sealed}) == 1
    assert browser.read(sealed[1]) == {"title": "x" * 40}
    assert sealed[0][:86] != sealed[1][:86]


@pytest.mark.parametrize(
    "address",
    [
        "http://push.example.com/a",
        "https://localhost/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://2130706433/a",
        "https://127.1/a",
        "https://10.0.0.8./a",
        "https://push.example.com:22/a",
        "https://push.example.com:99999/a",
        "https://user@push.example.com/a",
        "https://push.example.com@127.0.0.1/a",
        "https://push.example.com/a#b",
        "https://push.example.com/a b",
        "https://push.example.com\\@10.0.0.1/a",
        "https://push。example。com/a",
        "https://push.example.com/\nHost: 10.0.0.1",
        "https:///a",
        "https://./a",
        "https://[x/a",
        "ftp://push.example.com/a",
        "https://push.example.com/" + "a" * 2000,
        "",
    ],
)
def test_an_address_that_is_no_push_service_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgument):
        endpoint.check(address)


@pytest.mark.parametrize(
    "address", [PLACE, "https://fcm.googleapis.com/fcm/send/a:b", "https://web.push.apple.com:443/Q?x=1"]
)
def test_the_address_of_a_push_service_is_taken(address: str) -> None:
    endpoint.check(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::"),
        "2001:0:0:0:0:0:f5ff:fffe",
    ],
)
async def test_a_name_that_stands_for_a_private_address_is_not_connected_to(address: str) -> None:
    assert not endpoint.is_public(address)
    resolver = endpoint.PublicResolver(Names(address, 443))
    with pytest.raises(OSError, match="not public"):
        await resolver.resolve("push.example.com", 443)
    both = endpoint.PublicResolver(Names(address, 443, "1.1.1.1"))
    with pytest.raises(OSError, match="not public"):
        await both.resolve("push.example.com", 443)


async def test_a_name_that_stands_for_public_addresses_is() -> None:
    found = await endpoint.PublicResolver(Names("1.1.1.1", 443, "2606:4700::1111")).resolve("push.example.com", 443)
    assert [each["host"] for each in found] == ["1.1.1.1", "2606:4700::1111"]


async def test_the_service_itself_connects_to_no_address_of_this_machine(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    async with fake.server:

        def guarded() -> aiohttp.BaseConnector:
            port = int(fake.server.url.rpartition(":")[2])
            return aiohttp.TCPConnector(resolver=endpoint.PublicResolver(Names("127.0.0.1", port)))

        service = PushService(KEY, guarded)
        assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is Outcome.FAILED
        await service.close()
        assert fake.server.requests == []


class Names(AbstractResolver):
    """Every name stands for these addresses, on this port."""

    def __init__(self, host: str, port: int, *more: str) -> None:
        self._hosts, self._port = (host, *more), port

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
        return [
            {"hostname": host, "host": each, "port": self._port, "family": 2, "proto": 6, "flags": 0}
            for each in self._hosts
        ]

    async def close(self) -> None: ...


def keys_of(browser: Browser) -> dict[str, str]:
    return dict(browser.subscription["keys"])  # type: ignore[arg-type]


class Fake:
    """A push service on this machine, under whatever name it is asked for."""

    def __init__(self, folder: Path, status: int = 201) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        self.server = Server(self._play, self_signed(folder))

    async def _play(self, request: Request, reply: Reply) -> None:
        if self.status == 0:
            await reply.stall()
        await reply.whole(self.status, b"", **self.headers)

    def connector(self) -> aiohttp.BaseConnector:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        port = int(self.server.url.rpartition(":")[2])
        return aiohttp.TCPConnector(resolver=Names("127.0.0.1", port), ssl=trusting, force_close=True)

    def service(self, seconds: float = 60) -> PushService:
        return PushService(KEY, self.connector, seconds)


async def test_the_message_says_who_sends_and_only_the_browser_reads_it(tmp_path: Path) -> None:
    fake, browser = Fake(tmp_path), Browser()
    async with fake.server:
        service = fake.service()
        assert await service.send(PLACE, **keys_of(browser), notice=NOTICE) is Outcome.SENT
        await service.close()
    [sent] = fake.server.requests
    assert (sent.method, sent.target) == ("POST", "/send/one")
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert headers["content-encoding"] == "aes128gcm"
    assert headers["topic"] == NOTICE.conversation.replace("-", "")
    assert int(headers["ttl"]) > 0
    assert b"cat" not in sent.body
    assert browser.read(sent.body) == {
        "conversation": NOTICE.conversation,
        "title": "A cat on a roof",
        "status": "complete",
    }
    scheme, token, key = headers["authorization"].replace(",", "").split()
    assert (scheme, key) == ("vapid", f"k={KEY.public}")
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(KEY.public))
    claims = jwt.decode(token.removeprefix("t="), public, algorithms=["ES256"], audience="https://push.example.com")
    assert claims["sub"] == "mailto:ops@example.com"
    assert claims["exp"] - timezone.now().timestamp() < 24 * 3600


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, Outcome.SENT), (404, Outcome.GONE), (410, Outcome.GONE), (429, Outcome.FAILED), (500, Outcome.FAILED)],
)
async def test_what_the_push_service_says_is_understood(tmp_path: Path, status: int, outcome: Outcome) -> None:
    fake = Fake(tmp_path, status)
    async with fake.server:
        service = fake.service()
        assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is outcome
        await service.close()


async def test_it_is_not_followed_elsewhere(tmp_path: Path) -> None:
    fake = Fake(tmp_path, 302)
    fake.headers = {"Location": "https://push.example.com/elsewhere"}
    async with fake.server:
        service = fake.service()
        assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is Outcome.FAILED
        await service.close()
        assert len(fake.server.requests) == 1


async def test_one_that_does_not_answer_is_not_waited_for_long(tmp_path: Path) -> None:
    fake = Fake(tmp_path, 0)
    async with fake.server:
        service = fake.service(seconds=0.05)
        async with asyncio.timeout(60):
            assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is Outcome.FAILED
        await service.close()


# Subscriptions, by the API


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
async def test_a_browser_comes_comes_again_and_goes(core: Core) -> None:
    browser = Browser()
    row = await subscribed(core.user, browser)
    assert (row.user_id, row.family) == (core.user.pk, "here")
    assert (await call("PATCH", core.user, browser.subscription, "newer")).status_code == 204
    assert (await PushSubscription.objects.aget()).family == "newer"
    assert (await call("DELETE", core.user, {"endpoint": PLACE})).status_code == 204
    assert not await PushSubscription.objects.aexists()
    assert (await call("PATCH", core.user, browser.subscription)).status_code == 404


@pytest.mark.usefixtures("switched_on")
async def test_a_browser_that_somebody_else_has_used_is_told_for_nobody(core: Core) -> None:
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
async def test_what_is_no_subscription_is_refused(core: Core) -> None:
    good = Browser().subscription
    for wrong in (
        {**good, "endpoint": "https://10.0.0.1/a"},
        {**good, "keys": {**good["keys"], "p256dh": "AAAA"}},  # type: ignore[dict-item]
        {**good, "keys": {**good["keys"], "auth": "ü"}},  # type: ignore[dict-item]
        {"endpoint": PLACE},
    ):
        assert (await call("POST", core.user, wrong)).status_code == 400, wrong
    assert not await PushSubscription.objects.aexists()


async def test_without_keys_it_is_off_and_says_so(core: Core) -> None:
    answer = await call("POST", core.user, Browser().subscription)
    assert answer.status_code == 404
    assert "make_push_keys" in answer.json()["error"]["message"]


@pytest.mark.usefixtures("switched_on")
async def test_an_api_key_subscribes_nobody(core: Core) -> None:
    _, raw_key = await sync_to_async(keys.give)(core.user, "laptop", [], None)
    answer = await AsyncClient().post(
        "/v2/push",
        json.dumps(Browser().subscription),
        content_type="application/json",
        headers={"Authorization": f"Bearer {raw_key}"},
    )
    assert answer.status_code == 403


@pytest.mark.usefixtures("switched_on")
async def test_of_many_browsers_the_oldest_is_told_no_more(core: Core) -> None:
    for number in range(11):
        await subscribed(core.user, Browser(f"https://push.example.com/{number}"))
    left = {row.endpoint.rpartition("/")[2] async for row in PushSubscription.objects.all()}
    assert left == {str(number) for number in range(1, 11)}


@pytest.mark.usefixtures("switched_on")
async def test_signing_out_and_the_end_of_the_account_end_it(core: Core) -> None:
    await subscribed(core.user, Browser())
    await sync_to_async(families.end)("here")
    assert not await PushSubscription.objects.aexists()
    await subscribed(core.user, Browser(), "there")
    await User.objects.filter(pk=core.user.pk).adelete()
    assert not await PushSubscription.objects.aexists()


# What is told


@pytest.fixture
async def site(core: Core, tmp_path: Path, switched_on: None) -> AsyncIterator["Site"]:
    fake = Fake(tmp_path)
    async with fake.server:
        found = Site(core, fake, Browser())
        found.row = await subscribed(core.user, found.browser)
        yield found
        await found.notices.close()


class Site:
    """A user with a browser, and the process that tells it."""

    row: PushSubscription

    def __init__(self, core: Core, fake: Fake, browser: Browser) -> None:
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
        """What the browser has been told once this process has looked."""
        await self.notices.look()
        await self.notices.settled()
        return [self.browser.read(request.body) for request in self.fake.server.requests]


async def test_the_browser_is_told_of_an_answer_that_nobody_read_once(site: Site) -> None:
    stream = await site.answered()
    title = (await Conversation.objects.aget()).title
    expected = {"conversation": str(stream.conversation_id), "title": title, "status": "complete"}
    assert await site.told() == [expected]
    assert await site.told() == [expected]
    await site.answered("then=500")
    assert [each["status"] for each in await site.told()] == ["complete", "failed"]


async def test_two_processes_tell_it_once(site: Site) -> None:
    await site.answered()
    other = Notices(site.core.log, site.fake.service())
    await asyncio.gather(site.notices.look(), other.look())
    await asyncio.gather(site.notices.settled(), other.settled())
    await other.close()
    assert len(site.fake.server.requests) == 1


async def test_it_is_not_told_of_what_was_read_to_its_end_or_stopped(site: Site) -> None:
    stream = await site.core.ask("words=2000 gap=50")
    await site.core.turns.stop(stream)
    await site.answered("words=30 gap=2", reader=True)
    assert await site.told() == []
    assert (await PushSubscription.objects.aget()).told == (await Change.objects.filter(kind="ended").alast()).pk


async def test_it_is_not_told_while_a_page_is_looked_at(site: Site) -> None:
    async def read() -> None:
        async for _ in site.core.log.feeds.follow(FeedKey(site.core.user.pk)):
            pass

    page = asyncio.create_task(read())
    await until(partial(site.core.log.feeds.is_read, site.core.user.pk), "the feed is read")
    await site.answered()
    assert await site.told() == []
    page.cancel()
    await asyncio.gather(page, return_exceptions=True)
    assert await site.told() == []
    await site.answered()
    assert len(await site.told()) == 1


async def test_a_page_may_come_back_for_some_seconds(site: Site) -> None:
    await site.answered()
    await Change.objects.aupdate(at=timezone.now())
    assert await site.told() == []
    await Change.objects.aupdate(at=timezone.now() - timedelta(minutes=1))
    assert len(await site.told()) == 1


async def test_of_many_chats_the_newest_few_are_told(site: Site) -> None:
    for _ in range(5):
        await site.answered()
    newest = [str(row.pk) async for row in Conversation.objects.order_by("created_at")][-3:]
    assert sorted(each["conversation"] for each in await site.told()) == sorted(newest)


@pytest.mark.parametrize("ends", ["version", "expiry", "deletion"])
async def test_whoever_has_no_right_any_more_is_not_told(site: Site, ends: str) -> None:
    await site.answered()
    if ends == "version":
        await sync_to_async(site.core.user.end_tokens)()
    elif ends == "expiry":
        await PushSubscription.objects.aupdate(expires_at=timezone.now())
    else:
        await Conversation.objects.all().adelete()
    assert await site.told() == []
    assert await PushSubscription.objects.aexists() is (ends != "version")


async def test_a_browser_that_is_gone_is_forgotten(site: Site) -> None:
    site.fake.status = 410
    await site.answered()
    await site.told()
    assert not await PushSubscription.objects.aexists()


async def test_a_push_service_that_fails_again_and_again_is_given_up(site: Site) -> None:
    site.fake.status = 500
    for left in (True, True, True, True, False):
        await site.answered()
        await site.told()
        assert await PushSubscription.objects.aexists() is left


# What the operator does


def test_the_command_prints_what_turns_it_on() -> None:
    printed = StringIO()
    call_command("make_push_keys", contact="ops@example.com", stdout=printed)
    found = dict(line.split("=", 1) for line in printed.getvalue().splitlines() if not line.startswith("#"))
    key, contact = push(found["WONDERCAM_PUSH_KEY"], found["WONDERCAM_PUSH_CONTACT"])
    assert contact == "mailto:ops@example.com"
    assert len(decoded(SiteKey(key, contact).public)) == 65


@pytest.mark.parametrize(
    ("key", "contact", "name"),
    [
        ("", "mailto:ops@example.com", "WONDERCAM_PUSH_KEY"),
        (GOOD, "", "WONDERCAM_PUSH_CONTACT"),
        ("short", "mailto:ops@example.com", "WONDERCAM_PUSH_KEY"),
        ("A" * 43, "mailto:ops@example.com", "WONDERCAM_PUSH_KEY"),
        (GOOD, "ops@example.com", "WONDERCAM_PUSH_CONTACT"),
        (GOOD, "mailto:wondercam@localhost", "WONDERCAM_PUSH_CONTACT"),
    ],
)
def test_a_wrong_setting_is_named(key: str, contact: str, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        push(key, contact)
