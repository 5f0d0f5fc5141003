"""Limits of requests, and the errors beyond them."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.hashers import check_password
from django.test import AsyncClient, Client
from django.test.client import RequestFactory
from django.utils import timezone

from chat import limits
from chat.accounts import passwords, tokens
from chat.limits.counting import own
from chat.models import Conversation, Message, Stream, User
from chat.protocol import events
from chat.protocol.errors import ResourceExhausted, Unavailable
from tests.servers.redis import Redis

PASSWORD = "a long enough pass phrase"


@pytest.fixture(autouse=True)
def limits_on(settings: Any) -> Iterator[None]:
    settings.LIMITS_OFF = False
    settings.LIMITS = dict(settings.LIMITS)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    async_to_sync(limits.close)()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=PASSWORD)


def sign_in(name: str = "alice", password: str = "wrong", **extra: Any) -> Any:
    body = json.dumps({"username": name, "password": password})
    return Client(**extra).post("/v2/auth/token", body, content_type="application/json")


async def spent(name: str, times: int, **subject: Any) -> int:
    """How many of so many requests are let through."""
    passed = 0
    for _ in range(times):
        try:
            await limits.spend(name, **subject)
        except ResourceExhausted:
            continue
        passed += 1
    return passed


async def test_the_21st_chat_of_a_minute_is_refused_with_the_seconds_to_wait(settings):
    settings.LIMITS["CHAT_BURST"] = 100
    assert await spent("chat", 20, user=1) == 20
    with pytest.raises(limits.RateExceeded) as refused:
        await limits.spend("chat", user=1)
    assert 30 <= refused.value.retry_after <= 60
    assert refused.value.headers == {
        "RateLimit-Policy": '"chat-user";q=20;w=60',
        "RateLimit": f'"chat-user";r=0;t={refused.value.retry_after}',
    }
    assert await spent("chat", 1, user=2) == 1


@pytest.mark.slow
async def test_waiting_as_long_as_told_is_enough(settings):
    settings.LIMITS["CHAT_BURST"] = 1
    await limits.spend("chat", user=1)
    with pytest.raises(ResourceExhausted) as refused:
        await limits.spend("chat", user=1)
    assert refused.value.retry_after == 1
    await asyncio.sleep(refused.value.retry_after)
    await limits.spend("chat", user=1)


async def test_one_address_has_a_limit_over_all_its_users():
    assert sum([await spent("chat", 1, user=user, ip="192.0.2.1") for user in range(70)]) == 60


async def test_limits_that_are_off_limit_nothing(settings):
    settings.LIMITS_OFF = True
    assert await spent("chat", 100, user=1, ip="192.0.2.1") == 100


def test_the_16th_try_at_an_account_waits_whatever_its_password(alice):
    for _ in range(15):
        assert sign_in().status_code == 401
    limits_of_address = [sign_in(password=PASSWORD), sign_in("ALICE", PASSWORD)]
    for answer in limits_of_address:
        assert answer.status_code == 429
        assert answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
        assert 170 <= int(answer.headers["Retry-After"]) <= 180
        assert "RateLimit" in answer.headers
    assert sign_in("bob").status_code == 401


SPELLINGS = [" alice", "alice\u3000", "\u00a0alice ", "\uff41\uff4c\uff49\uff43\uff45", "ALICE", "\u24d0lice"]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_every_spelling_that_finds_the_account_is_a_try_at_it(alice, spelling):
    for _ in range(15):
        sign_in(spelling)
    assert sign_in().status_code == 429
    form = {"username": spelling, "password": "wrong"}
    assert Client().post("/accounts/signin/", form).status_code == 429
    assert Client().post("/admin/login/", form).status_code == 429


def test_a_name_is_looked_up_as_the_form_looks_it_up(alice):
    assert sign_in(" \uff41lice ", PASSWORD).status_code == 200
    assert sign_in("ALICE", PASSWORD).status_code == 401


STRANGER, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def test_a_stranger_keeps_nobody_out_of_their_account(alice):
    for name in ("nobody", "alice"):
        for _ in range(30):
            sign_in(name, REMOTE_ADDR=STRANGER)
    assert sign_in(password=PASSWORD, REMOTE_ADDR=STRANGER).status_code == 429
    assert sign_in(password=PASSWORD, REMOTE_ADDR=ELSEWHERE).status_code == 200


def test_tries_from_many_addresses_at_one_account_are_limited_together(alice):
    statuses = [sign_in(REMOTE_ADDR=f"198.51.{number}.7").status_code for number in range(61)]
    assert statuses == [401] * 60 + [429]


async def test_what_is_refused_leaves_nothing_in_memory():
    for number in range(20):
        await limits.spend("login", ip=STRANGER, account=f"{number}")
    kept = own().subjects()
    for number in range(200):
        assert await spent("login", 1, ip=STRANGER, account=f"{number}{'x' * 100_000}") == 0
    assert own().subjects() == kept


async def test_one_ipv6_customer_is_one_customer_whatever_networks_it_chooses():
    networks = [f"2001:db8:1:{number:x}::/64" for number in range(256)]
    assert sum([await spent("guest", 1, ip=network) for network in networks]) == 20
    others = [f"2001:db8:1:{number:x}00::/64" for number in range(1, 256)]
    assert sum([await spent("guest", 1, ip=network) for network in others]) == 20
    assert await spent("guest", 1, ip="2001:db8:2::/64") == 1


async def test_a_throttled_address_takes_nothing_of_its_neighbours_quota():
    await spent("guest", 100, ip="192.0.2.1")
    assert await spent("guest", 10, ip="192.0.2.2") == 10


@pytest.mark.usefixtures("leaving_redis")
async def test_blocks_of_addresses_are_counted_in_redis_too(settings, redis: Redis):
    settings.REDIS_URL = redis.url
    networks = [f"2001:db8:1:{number:x}::/64" for number in range(30)]
    assert sum([await spent("guest", 1, ip=network) for network in networks]) == 20
    assert await spent("guest", 1, ip="2001:db8:1:100::/64") == 1


async def test_several_at_once_are_let_through_together_or_not_at_all():
    await limits.spend("upload", user=1, cost=15)
    with pytest.raises(ResourceExhausted):
        await limits.spend("upload", user=1, cost=6)
    assert await spent("upload", 6, user=1) == 5


def test_a_client_cannot_choose_the_address_it_is_counted_by(db):
    statuses = [sign_in(f"user{number}", headers={"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(21)]
    assert [answer.status_code for answer in statuses] == [401] * 20 + [429]


def test_the_admins_form_shares_the_limit_of_tries(alice, settings):
    settings.LIMITS["LOGIN_ACCOUNT"] = 2
    sign_in()
    form = {"username": "alice", "password": "wrong"}
    assert Client().post("/admin/login/", form).status_code == 200
    answer = Client().post("/admin/login/", form)
    assert answer.status_code == 429
    assert 170 <= int(answer.headers["Retry-After"]) <= 180
    assert Client().get("/admin/login/").status_code == 200
    assert sign_in().status_code == 429


@pytest.mark.parametrize("page", ["password", "email", "delete"])
def test_passwords_tried_in_an_open_session_are_counted_for_its_account_from_any_address(alice, settings, page):
    settings.LIMITS["LOGIN_NAME"] = 2
    browser = Client()
    browser.force_login(alice)
    form = {"old_password": "wrong", "password": "wrong", "email": "a@example.org"}
    tries = [browser.post(f"/accounts/{page}/", form, REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(3)]
    assert tries == [200, 200, 429]
    assert sign_in().status_code == 429


def test_guests_of_one_address_are_limited(db, settings):
    settings.GUESTS = True
    settings.LIMITS["GUEST_IP"] = 2
    assert [Client().post("/v2/auth/guest").status_code for _ in range(3)] == [200, 200, 429]
    assert Client().post("/v2/auth/session").status_code == 429
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_counted_as_one_customer(address, counted):
    assert limits.address(RequestFactory().get("/", REMOTE_ADDR=address)) == counted


def running(user: User, number: int = 1) -> None:
    for _ in range(number):
        talk = Conversation.objects.create(user=user)
        answer = Message.objects.create(conversation=talk, role=Message.MODEL)
        Stream.objects.create(user=user, conversation=talk, answer=answer, created_at=timezone.now())


def test_a_third_answer_at_a_time_is_refused(alice):
    running(alice)
    limits.check_streams(alice.pk)
    running(alice)
    with pytest.raises(ResourceExhausted) as refused:
        limits.check_streams(alice.pk)
    assert refused.value.retry_after
    Stream.objects.update(status=events.COMPLETE)
    limits.check_streams(alice.pk)


def test_a_full_site_says_so(alice, settings):
    settings.LIMITS["STREAMS"] = 2
    running(User.objects.create_user("bob"), 2)
    with pytest.raises(Unavailable):
        limits.check_streams(alice.pk)


def guest(network: str = "") -> User:
    name = f"guest-{User.objects.count()}"
    return User.objects.create(username=name, is_guest=True, network=network)


def test_the_last_places_are_kept_for_people_with_an_account(alice, settings):
    settings.LIMITS["STREAMS"] = 10
    for _ in range(4):
        running(guest(), 2)
    with pytest.raises(Unavailable) as refused:
        limits.check_streams(guest().pk, is_guest=True)
    assert refused.value.retry_after
    limits.check_streams(alice.pk)


def test_guests_of_one_network_have_their_share_and_no_more(db, settings):
    settings.LIMITS["STREAMS_NETWORK"] = 3
    for network in ("a", "a", "a", "b"):
        running(guest(network))
    with pytest.raises(ResourceExhausted):
        limits.check_streams(guest("a").pk, is_guest=True)
    limits.check_streams(guest("b").pk, is_guest=True)
    limits.check_streams(guest().pk, is_guest=True)


def test_two_workers_on_postgresql_never_begin_one_users_answers_at_the_same_moment(postgres_url):
    program = """
import django; django.setup()
from threading import Thread
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from chat import limits
from chat.protocol.errors import ResourceExhausted
from chat.models import User
call_command("migrate", verbosity=0)
settings.LIMITS_OFF = False
alice, bob = User.objects.create_user("alice"), User.objects.create_user("bob")

def begin(user):
    try:
        with transaction.atomic():
            limits.check_streams(user.pk)
        print(user, "begins")
    except ResourceExhausted:
        print(user, "waits")
    finally:
        connection.close()

def elsewhere(user):
    worker = Thread(target=begin, args=(user,))
    worker.start()
    worker.join()

with transaction.atomic():
    limits.check_streams(alice.pk)
    limits.check_streams(alice.pk)
    elsewhere(alice)
    elsewhere(bob)
elsewhere(alice)
"""
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout.split("\n")[:3] == ["alice waits", "bob begins", "alice begins"], done.stderr


@pytest.fixture
async def leaving_redis() -> AsyncIterator[None]:
    """Leave Redis on the loop that spoke to it."""
    yield
    await limits.close()


@pytest.mark.usefixtures("leaving_redis")
async def test_two_processes_share_one_count_in_redis(settings, redis: Redis):
    settings.REDIS_URL = redis.url
    program = (
        "import asyncio, django; django.setup()\n"
        "from django.conf import settings\n"
        "from chat.limits import shared\n"
        "from tests.unit.test_limits import spent\n"
        "shared.REDIS_TIMEOUT = 60\n"  # a process that waits for the processor does not take Redis to be away
        f"settings.LIMITS_OFF, settings.REDIS_URL = False, {redis.url!r}\n"
        "settings.LIMITS['CHAT_BURST'] = 1000\n"
        "print(asyncio.run(spent('chat', 30, user=1)))\n"
    )
    together = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    passed = [int((await asyncio.to_thread(process.communicate))[0]) for process in together]
    assert sum(passed) == 20


@pytest.mark.usefixtures("leaving_redis")
async def test_while_redis_is_away_each_process_counts_by_itself(settings, redis: Redis):
    settings.REDIS_URL = redis.url
    settings.LIMITS["CHAT_BURST"] = 1000
    assert await spent("chat", 1, user=1) == 1
    redis.stop()
    began = time.monotonic()
    assert await spent("chat", 30, user=1) == 20
    assert time.monotonic() - began < 20
    redis.start()
    await limits.close()
    assert await spent("chat", 30, user=1) == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
async def test_counting_never_blocks_the_loop(settings, monkeypatch: pytest.MonkeyPatch):
    loop, check = asyncio.get_running_loop(), check_password
    went_on: list[bool] = []

    def watched(*args: Any) -> bool:
        beat = threading.Event()
        loop.call_soon_threadsafe(beat.set)
        went_on.append(beat.wait(30))
        return check(*args)

    monkeypatch.setattr(passwords, "check_password", watched)
    settings.LIMITS["LOGIN_IP"] = 1000
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    alice = await User.objects.acreate_user("alice", password=PASSWORD)
    body = json.dumps({"username": alice.username, "password": "wrong"})
    for _ in range(3):
        await AsyncClient().post("/v2/auth/token", body, content_type="application/json")
    assert went_on == [True] * 3  # the loop, while each password was tried


def settings_with(**variables: str) -> str:
    """What a start with these variables says on stderr; "" when it starts."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WONDERCAM_LIMIT")}
    program = "import wondercam.settings"
    done = subprocess.run([sys.executable, "-c", program], env={**clean, **variables}, capture_output=True, text=True)
    return done.stderr


@pytest.mark.slow
def test_limits_cannot_be_off_in_production_by_accident():
    assert "WONDERCAM_LIMITS_OFF_IS_INTENDED" in settings_with(DEBUG="0", WONDERCAM_LIMITS="off")
    assert not settings_with(DEBUG="0", WONDERCAM_LIMITS="off", WONDERCAM_LIMITS_OFF_IS_INTENDED="1")
    assert not settings_with(DEBUG="1", WONDERCAM_LIMITS="off")


@pytest.mark.slow
def test_a_wrong_limit_stops_the_start_with_its_name():
    assert "WONDERCAM_LIMIT_CHAT_USER" in settings_with(WONDERCAM_LIMIT_CHAT_USER="many")
    assert "WONDERCAM_LIMIT_STREAMS" in settings_with(WONDERCAM_LIMIT_STREAMS="0")


def test_every_rate_has_its_setting(settings):
    named = {rate.setting for rates in limits.RATES.values() for rate in rates}
    assert named <= set(settings.LIMITS)
    assert [name for name in settings.LIMITS if limits.of(name) <= 0] == [
        "DAY_QUESTIONS_SITE",
        "DAY_TOKENS_SITE",
    ]  # 0 is no limit
    assert async_to_sync(spent)("upload", 3, user=1) == 3


def test_an_upload_over_the_limit_is_refused(alice, settings):
    settings.LIMITS["UPLOAD_USER"] = 1
    headers = {"Authorization": f"Bearer {tokens.access_for(alice)}"}
    statuses = [Client().post("/v2/attachments", headers=headers).status_code for _ in range(2)]
    assert statuses == [400, 429]


@pytest.mark.parametrize(
    ("limit", "method", "path", "body"),
    [
        ("KEYS_HOUR", "post", "/v2/keys", {"name": "mine"}),
        ("TICKET_USER", "post", "/v2/tickets", {}),
        ("PROBE_IP", "get", "/v2/probe", {"events": 1}),
    ],
)
def test_what_is_asked_for_too_often_is_refused(alice, settings, limit, method, path, body):
    settings.LIMITS = {**settings.LIMITS, limit: 1}
    headers = {"Authorization": f"Bearer {tokens.access_for(alice)}"}
    told = body if method == "get" else json.dumps(body)
    extra = {} if method == "get" else {"content_type": "application/json"}
    answers = [getattr(Client(), method)(path, told, headers=headers, **extra) for _ in range(2)]
    assert answers[0].status_code < 300
    assert answers[1].status_code == 429
