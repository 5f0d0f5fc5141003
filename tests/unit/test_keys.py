"""Personal API keys: creation, access and expiry."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection
from django.test import Client
from django.test.client import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.accounts import tickets, tokens
from chat.models import ApiKey, AuditEntry, OwnedQuerySet, User
from chat.process import this_process
from chat.protocol.errors import Unauthenticated
from chat.views.body_limit import limit_of

JSON = "application/json"
ASK = {"contents": [{"text": ""}], "model": "nobody/nothing"}


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")


def call(method: str, path: str, credential: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {credential}"}
    given: dict[str, Any] = {} if body is None else {"data": json.dumps(body), "content_type": JSON}
    return Client().generic(method, path, headers=headers, **given)


def new_key(user: User, **fields: Any) -> dict[str, Any]:
    answer = call("POST", "/v2/keys", tokens.access_for(user), {"name": "laptop", **fields})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def is_open(key: str) -> bool:
    return call("GET", "/v2/conversations", key).status_code == 200


def test_a_new_key_is_shown_once_and_kept_as_its_digest(alice):
    made = new_key(alice)
    assert made["name"] == "laptop"
    assert made["key"].startswith("wc_")
    assert len(made["key"]) == 46
    assert made["scopes"] == ["chat", "read"]
    assert made["key"] not in str(list(ApiKey.objects.values()))
    listed = call("GET", "/v2/keys", tokens.access_for(alice)).json()["keys"]
    assert [key["id"] for key in listed] == [made["id"]]
    assert made["key"] not in json.dumps(listed)
    assert listed[0]["hint"] == made["key"][:8]


def test_a_key_is_taken_wherever_a_token_is(alice):
    key = new_key(alice)["key"]
    assert is_open(key)
    assert Client().get("/v1beta/models", headers={"x-goog-api-key": key}).status_code == 200
    assert Client().get("/v1beta/models", headers={"Authorization": f"bearer {key}"}).status_code == 200
    assert call("POST", "/v2/chat", key, ASK).status_code == 404  # let in, and told that there is no such model
    assert call("POST", "/v2/tickets", key).status_code == 200


GENERATE = "/v1beta/models/nobody/nothing:generateContent"
COMPLETE = "/v1/chat/completions"
ASKED = {
    GENERATE: {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    COMPLETE: {"model": "nobody/nothing", "messages": [{"role": "user", "content": "Hi"}]},
}


@pytest.mark.parametrize(
    ("path", "header", "query"),
    [
        (COMPLETE, "Authorization", ""),
        (GENERATE, "Authorization", ""),
        (GENERATE, "x-goog-api-key", ""),
        (GENERATE, "", "key"),
    ],
    ids=["OpenAI's, as Bearer", "Google's, as Bearer", "Google's, by its header", "Google's, in the address"],
)
def test_a_key_opens_both_doors_in_each_way_that_their_sdks_send_one(alice, path: str, header: str, query: str):
    def status(key: str) -> int:
        headers = {header: f"Bearer {key}" if header == "Authorization" else key} if header else {}
        address = f"{path}?{query}={key}" if query else path
        answer = Client().post(address, json.dumps(ASKED[path]), content_type=JSON, headers=headers)
        return int(answer.status_code)

    made = new_key(alice)
    assert status(made["key"]) == 404  # let in, and told that there is no such model
    assert status(new_key(alice, scopes=["read"])["key"]) == 403
    assert status("wc_" + "x" * 43) == 401
    assert call("DELETE", f"/v2/keys/{made['id']}", tokens.access_for(alice)).status_code == 204
    assert status(made["key"]) == 401


def test_a_key_in_the_address_opens_google_s_door_alone(alice):
    key = new_key(alice)["key"]
    for path in (COMPLETE, "/v2/chat"):
        body = json.dumps(ASKED.get(path, ASK))
        assert Client().post(f"{path}?key={key}", body, content_type=JSON).status_code == 401


def test_a_key_brings_bodies_as_large_as_a_token_does(alice, settings):
    headers = [(b"authorization", f"Bearer {new_key(alice)['key']}".encode())]
    most, _ = limit_of({"path": "/v2/echat", "query_string": b"", "headers": headers})
    assert most == settings.LIMITS["CHAT_BODY_BYTES"]


def test_a_key_is_looked_up_with_one_query_and_writes_once_an_hour(alice):
    key = new_key(alice)["key"]
    assert is_open(key)
    used = ApiKey.objects.get().last_used_at
    assert used is not None
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {key}"})
    request.process = this_process()  # type: ignore[attr-defined]
    with CaptureQueriesContext(connection) as captured:
        assert async_to_sync(tokens.authenticate)(request) == alice
    assert len(captured) == 1
    ApiKey.objects.update(last_used_at=used - timedelta(hours=2))
    assert is_open(key)
    assert ApiKey.objects.get().last_used_at >= used


def test_a_key_lets_in_while_its_use_cannot_be_noted(alice, monkeypatch):
    key = new_key(alice)["key"]

    async def locked(*_: Any, **__: Any) -> int:
        raise OperationalError("database is locked")

    monkeypatch.setattr(OwnedQuerySet, "aupdate", locked)
    assert is_open(key)


@pytest.mark.parametrize(
    "key",
    [
        "wc_",
        "wc_short",
        "wc_" + "A" * 43,
        "wc_" + "A" * 44,
        "WC_" + "A" * 43,
        "wc_" + "A" * 42 + "é",
        "wc_" + "A" * 9999,
    ],
    ids=lambda key: ascii(key[:50]),
)
def test_what_is_no_key_opens_nothing(db, key):
    assert call("GET", "/v2/conversations", key).status_code == 401


def test_a_key_for_reading_starts_nothing_and_changes_nothing(alice):
    key = new_key(alice, scopes=["read"])["key"]
    assert is_open(key)
    for method, path in (("POST", "/v2/chat"), ("POST", "/v2/tickets"), ("GET", "/v2/echat?data={}")):
        answer = call(method, path, key, ASK if method == "POST" else None)
        assert answer.status_code == 403, path
        assert "chat" in answer.json()["error"]["message"]


@pytest.mark.parametrize("scopes", [["chat"], ["read"], ["chat", "read"]])
def test_a_key_makes_and_ends_no_keys(alice, scopes):
    made = new_key(alice, scopes=scopes)
    for method, path in (("POST", "/v2/keys"), ("GET", "/v2/keys"), ("DELETE", f"/v2/keys/{made['id']}")):
        body = {"name": "another"} if method == "POST" else None
        assert call(method, path, made["key"], body).status_code == 403
    assert ApiKey.objects.count() == 1


def test_a_key_for_chatting_reads_what_comes_of_it(alice):
    assert is_open(new_key(alice, scopes=["chat"])["key"])


def test_a_guest_has_no_keys(alice):
    alice.is_guest = True
    alice.save()
    answer = call("POST", "/v2/keys", tokens.access_for(alice), {"name": "x"})
    assert answer.status_code == 403
    assert "account" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": ["everything"]}, "everything"),
        ({"expires": "2001-01-01T00:00:00Z"}, "over"),
        ({"expires": "2001-01-01T00:00:00"}, "over"),
        ({"expires": "tomorrow"}, "expires"),
        ({"scope": ["read"]}, "scope"),
    ],
    ids=str,
)
def test_a_wrong_wish_is_refused_with_what_is_wrong(alice, fields, word):
    answer = call("POST", "/v2/keys", tokens.access_for(alice), {"name": "x", **fields})
    assert answer.status_code == 400
    assert word in answer.json()["error"]["message"]


def test_a_key_ends_at_its_time(alice):
    key = new_key(alice, expires=(timezone.now() + timedelta(hours=1)).isoformat())["key"]
    assert is_open(key)
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not is_open(key)


def test_a_key_that_was_ended_opens_nothing_nor_does_what_it_began(alice):
    made = new_key(alice)
    ticket = call("POST", "/v2/tickets", made["key"]).json()["ticket"]
    claims = async_to_sync(tickets.holder)(ticket, this_process().log).user.claims
    assert call("DELETE", f"/v2/keys/{made['id']}", tokens.access_for(alice)).status_code == 204
    assert not is_open(made["key"])
    log = this_process().log
    with pytest.raises(Unauthenticated):
        async_to_sync(tickets.holder)(ticket, log)
    with pytest.raises(Unauthenticated):
        async_to_sync(tokens.holder)(claims, log)
    assert call("DELETE", f"/v2/keys/{made['id']}", tokens.access_for(alice)).status_code == 404


def test_another_ones_key_is_unknown(alice, bob):
    made = new_key(alice)
    path = f"/v2/keys/{made['id']}"
    foreign = call("DELETE", path, tokens.access_for(bob))
    unknown = call("DELETE", "/v2/keys/6f9619ff-8b86-4d01-b42d-00cf4fc964ff", tokens.access_for(bob))
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert call("GET", "/v2/keys", tokens.access_for(bob)).json() == {"keys": []}
    assert is_open(made["key"])


@pytest.mark.parametrize("how", ["disabled", "deleted"])
def test_a_key_ends_with_its_account(alice, how):
    key = new_key(alice)["key"]
    if how == "deleted":
        alice.delete()
    else:
        User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_open(key)


def test_a_key_outlives_a_sign_out_and_a_new_password(alice):
    key = new_key(alice)["key"]
    alice.set_password("another long pass phrase")
    alice.save()
    assert is_open(key)


def test_one_has_so_many_keys_and_no_more(alice, settings):
    settings.LIMITS = {**settings.LIMITS, "KEYS_USER": 2}
    made = [new_key(alice) for _ in range(2)]
    answer = call("POST", "/v2/keys", tokens.access_for(alice), {"name": "third"})
    assert answer.status_code == 429
    call("DELETE", f"/v2/keys/{made[0]['id']}", tokens.access_for(alice))
    new_key(alice)


def test_making_and_ending_one_is_written_down(alice):
    made = new_key(alice)
    call("DELETE", f"/v2/keys/{made['id']}", tokens.access_for(alice))
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.action, entry.name, entry.address) for entry in entries] == [
        ("key-made", "alice", "127.0.0.1"),
        ("key-ended", "alice", "127.0.0.1"),
    ]
    assert all(made["hint"] in entry.target and made["key"] not in entry.target for entry in entries)
