"""Web Push: how messages are encrypted and delivered, and to which addresses they are not sent."""

import asyncio
import json
from io import StringIO
from pathlib import Path

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.utils import timezone

from chat.protocol.errors import InvalidArgument
from chat.push import endpoint
from chat.push.delivery import Outcome, PushService
from chat.push.encryption import Recipient
from chat.push.keys import CURVE, SiteKey, decoded
from tests.fakes.push_service import GOOD, KEY, NOTICE, PLACE, Browser, FakePushService, Names, keys_of
from wondercam.push import push


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
def test_an_address_that_cannot_be_a_push_service_s_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgument):
        endpoint.check(address)


@pytest.mark.parametrize(
    "address", [PLACE, "https://fcm.googleapis.com/fcm/send/a:b", "https://web.push.apple.com:443/Q?x=1"]
)
def test_the_address_of_a_push_service_is_accepted(address: str) -> None:
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
async def test_a_name_that_resolves_to_a_private_address_is_not_connected_to(address: str) -> None:
    assert not endpoint.is_public(address)
    resolver = endpoint.PublicResolver(Names(address, 443))
    with pytest.raises(OSError, match="not public"):
        await resolver.resolve("push.example.com", 443)
    both = endpoint.PublicResolver(Names(address, 443, "1.1.1.1"))
    with pytest.raises(OSError, match="not public"):
        await both.resolve("push.example.com", 443)


async def test_a_name_that_resolves_to_public_addresses_is_connected_to() -> None:
    found = await endpoint.PublicResolver(Names("1.1.1.1", 443, "2606:4700::1111")).resolve("push.example.com", 443)
    assert [each["host"] for each in found] == ["1.1.1.1", "2606:4700::1111"]


async def test_nothing_is_sent_to_an_address_of_this_machine(tmp_path: Path) -> None:
    fake = FakePushService(tmp_path)
    async with fake.server:

        def guarded() -> aiohttp.BaseConnector:
            port = int(fake.server.url.rpartition(":")[2])
            return aiohttp.TCPConnector(resolver=endpoint.PublicResolver(Names("127.0.0.1", port)))

        service = PushService(KEY, guarded)
        assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is Outcome.FAILED
        await service.close()
        assert fake.server.requests == []


async def test_a_message_names_its_sender_and_only_the_browser_can_read_it(tmp_path: Path) -> None:
    fake, browser = FakePushService(tmp_path), Browser()
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
async def test_the_status_of_the_push_service_is_the_outcome(tmp_path: Path, status: int, outcome: Outcome) -> None:
    fake = FakePushService(tmp_path, status)
    async with fake.server:
        service = fake.service()
        assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is outcome
        await service.close()


async def test_a_redirect_of_the_push_service_is_not_followed(tmp_path: Path) -> None:
    fake = FakePushService(tmp_path, 302)
    fake.headers = {"Location": "https://push.example.com/elsewhere"}
    async with fake.server:
        service = fake.service()
        assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is Outcome.FAILED
        await service.close()
        assert len(fake.server.requests) == 1


async def test_a_push_service_that_does_not_answer_is_given_up_after_the_time_limit(tmp_path: Path) -> None:
    fake = FakePushService(tmp_path, 0)
    async with fake.server:
        service = fake.service(seconds=0.05)
        async with asyncio.timeout(60):
            assert await service.send(PLACE, **keys_of(Browser()), notice=NOTICE) is Outcome.FAILED
        await service.close()


# The settings of the operator


def test_the_command_prints_the_variables_that_turn_push_on() -> None:
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
def test_the_error_names_the_wrong_setting(key: str, contact: str, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        push(key, contact)
