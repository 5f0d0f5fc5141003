"""Access and refresh tokens: who gets them, their checks and lifetimes."""

import base64
import json
import threading
import uuid
from typing import Any

import jwt
import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as site
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import AsyncClient, Client
from django.test.client import RequestFactory
from django.utils import timezone

from chat.accounts import sessions, tokens
from chat.models import User
from chat.process import this_process
from chat.protocol.errors import Unauthenticated

PASSWORD = "a long enough pass phrase"
WRONG_PAIRS = [("alice", "wrong"), ("nobody", PASSWORD), ("alice", "x" * 257), ("", "")]
BAD_HEADERS = ["", "Bearer", "Bearer ", "Bearer a.b", "Basic YTpi", "Token {}", "Bearer {} {}", "{}"]


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", password=PASSWORD)


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def whoami(access: str, **headers: str) -> Any:
    """A route that any valid token opens."""
    return Client().get("/v2/conversations", headers={"Authorization": f"Bearer {access}", **headers})


def sign_in(client: Client, name: str = "alice", password: str = PASSWORD) -> Any:
    return post(client, "/v2/auth/token", {"username": name, "password": password})


def forged(key: str = "", drop: tuple[str, ...] = (), algorithm: str = "HS256", **claims: Any) -> str:
    """An access token of user 1 with some claims changed or dropped."""
    now = int(timezone.now().timestamp())
    whole = {"token_type": "access", "exp": now + 300, "iat": now, "jti": uuid.uuid4().hex, "user_id": "1"}
    whole |= {"tv": 0, "fam": "f", "iss": "wondercam", "aud": "wondercam-api", **claims}
    kept = {name: value for name, value in whole.items() if name not in drop}
    return jwt.PyJWS().encode(json.dumps(kept).encode(), key or site.JWT_SIGNING_KEY, algorithm)


def unsigned(algorithm: str) -> str:
    """A token that says it needs no signature."""
    header, payload = ({"alg": algorithm, "typ": "JWT"}, jwt.decode(forged(), options={"verify_signature": False}))
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload)]
    return ".".join([*parts, ""])


def test_a_right_password_gives_a_pair_that_opens_the_api(client, alice):
    pair = sign_in(client).json()
    assert set(pair) == {"access", "refresh"}
    assert whoami(pair["access"]).status_code == 200


@pytest.mark.parametrize(("name", "password"), WRONG_PAIRS)
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(client, alice, name, password):
    answer = sign_in(client, name, password)
    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": 401,
        "status": "UNAUTHENTICATED",
        "message": "The user name or the password is wrong.",
    }
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def authenticated(request, **options):
    """Who asks, for a request as the API's views get it."""
    request.process = this_process()
    return async_to_sync(tokens.authenticate)(request, **options)


def test_the_access_token_is_asked_for_with_one_query(client, alice, django_assert_num_queries):
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {tokens.access_for(alice)}"})
    with django_assert_num_queries(1):
        assert authenticated(request) == alice


@pytest.mark.parametrize(
    "claims",
    [
        {"key": "k" * 40},
        {"key": site.SECRET_KEY},
        {"algorithm": "HS512", "key": "k" * 64},
        {"token_type": "refresh"},
        {"token_type": "sliding"},
        {"token_type": None},
        {"iss": "else"},
        {"iss": ["wondercam"]},
        {"aud": "else"},
        {"aud": 1},
        {"exp": 1},
        {"exp": [1]},
        {"exp": "soon"},
        {"exp": 1e400},
        {"exp": 10**30},
        {"exp": None},
        {"iat": "now"},
        {"user_id": "abc"},
        {"user_id": None},
        {"user_id": []},
        {"user_id": "0"},
        {"user_id": "-1"},
        {"user_id": "9" * 30},
        {"user_id": "9" * 5000},
        {"tv": "0"},
        {"tv": True},
        {"tv": 10**30},
        {"fam": 1},
        {"fam": None},
        {"jti": 1},
        *({"drop": (name,)} for name in ("exp", "jti", "user_id", "token_type", "iss", "aud", "tv", "fam")),
    ],
    ids=str,
)
def test_a_token_that_is_wrong_in_one_thing_is_refused(transactional_db, claims):
    User.objects.create_user("first", pk=1)
    assert whoami(forged()).status_code == 200
    answer = whoami(forged(**claims))
    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


def test_a_token_made_before_the_clock_was_set_back_holds(transactional_db):
    User.objects.create_user("first", pk=1)
    an_hour_on = int(timezone.now().timestamp()) + 3600
    assert whoami(forged(iat=an_hour_on, exp=an_hour_on + 300)).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS256", ""])
def test_a_token_without_a_signature_is_refused(alice, algorithm):
    assert whoami(unsigned(algorithm)).status_code == 401


@pytest.mark.parametrize("header", BAD_HEADERS)
def test_a_malformed_header_is_refused_and_no_other_credential_is_tried(client, alice, header):
    client.force_login(alice)
    access = tokens.access_for(alice)
    headers = {"Authorization": header.replace("{}", access), "x-goog-api-key": access}
    assert client.get("/v2/conversations", headers=headers).status_code == 401


def test_two_authorization_headers_are_refused(alice):
    access = tokens.access_for(alice)
    assert whoami(f"{access}, Bearer {access}").status_code == 401
    assert whoami(f"{access},Bearer {access}").status_code == 401


def test_a_token_anywhere_but_in_its_header_is_ignored(client, alice):
    access = tokens.access_for(alice)
    client.cookies["access"] = access
    for query in (f"?token={access}", f"?access_token={access}", f"?key={access}", f"?jwt={access}"):
        assert client.get(f"/v2/conversations{query}").status_code == 401
    assert post(client, "/v2/tickets", {"access": access}).status_code == 401


def test_a_session_opens_nothing_but_the_page_and_reading_a_stream(client, alice):
    client.force_login(alice)
    for path in ("/v2/echat", "/v2/chat", "/v2/tickets", "/v2/attachments"):
        assert post(client, path, {"contents": [{"text": "x"}]}).status_code == 401
    assert client.get("/v2/conversations").status_code == 401


def test_the_gemini_door_takes_the_token_as_a_key(alice):
    access = tokens.access_for(alice)
    request = RequestFactory().get("/", headers={"x-goog-api-key": access})
    assert authenticated(request, key_header=True) == alice
    with pytest.raises(Unauthenticated):
        authenticated(request)


def test_a_bad_bearer_is_not_replaced_by_a_good_key(alice):
    headers = {"x-goog-api-key": tokens.access_for(alice), "Authorization": "Bearer a.b.c"}
    with pytest.raises(Unauthenticated):
        authenticated(RequestFactory().get("/", headers=headers), key_header=True)


def test_refreshing_gives_the_next_pair(client, alice):
    first = sign_in(client).json()
    second = post(client, "/v2/auth/refresh", {"refresh": first["refresh"]}).json()
    assert second["refresh"] != first["refresh"]
    assert whoami(second["access"]).status_code == 200


def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(client, alice):
    pair = sign_in(client).json()
    assert post(client, "/v2/auth/refresh", {"refresh": pair["access"]}).status_code == 401
    assert whoami(pair["refresh"]).status_code == 401


def test_using_a_refresh_token_twice_ends_its_whole_family(client, alice):
    first, other = sign_in(client).json(), sign_in(client).json()
    second = post(client, "/v2/auth/refresh", {"refresh": first["refresh"]}).json()
    assert post(client, "/v2/auth/refresh", {"refresh": first["refresh"]}).status_code == 401
    assert post(client, "/v2/auth/refresh", {"refresh": second["refresh"]}).status_code == 401
    assert whoami(second["access"]).status_code == 401
    assert whoami(other["access"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_parallel_refreshes_of_one_token_at_most_one_succeeds():
    refresh = tokens.issue(User.objects.create_user("alice"))["refresh"]
    together = threading.Barrier(4)
    answers: list[dict[str, str] | None] = []

    def use() -> None:
        together.wait()
        try:
            answers.append(tokens.rotate(refresh))
        except Unauthenticated:
            answers.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert sum(answer is not None for answer in answers) == 1


def test_signing_out_refuses_both_tokens_at_once(client, alice):
    pair = sign_in(client).json()
    assert post(client, "/v2/auth/logout", {"refresh": pair["refresh"]}).status_code == 204
    assert whoami(pair["access"]).status_code == 401
    assert post(client, "/v2/auth/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert post(client, "/v2/auth/logout", {"refresh": pair["refresh"]}).status_code == 204


def change_password(user: User) -> None:
    user.set_password("another long pass phrase")
    user.save()


def change_only_the_password(user: User) -> None:
    user.set_password("another long pass phrase")
    user.save(update_fields=["password"])


def disable(user: User) -> None:
    user.is_active = False
    user.save()


def disable_in_bulk(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(user: User) -> None:
    user.delete()


@pytest.mark.parametrize("change", [change_password, change_only_the_password, disable, disable_in_bulk, delete])
def test_no_token_outlives_a_new_password_a_lock_or_a_deletion(client, alice, change):
    pair = sign_in(client).json()
    change(User.objects.get(pk=alice.pk))
    assert whoami(pair["access"]).status_code == 401
    assert post(client, "/v2/auth/refresh", {"refresh": pair["refresh"]}).status_code == 401


def test_a_new_password_gives_new_tokens_that_work(client, alice):
    change_password(alice)
    assert whoami(sign_in(client, password="another long pass phrase").json()["access"]).status_code == 200
    assert whoami(tokens.access_for(alice)).status_code == 200


def test_a_password_hashed_anew_by_django_ends_no_token(client, alice, settings):
    pair = sign_in(client).json()
    user = User.objects.get(pk=alice.pk)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    assert user.check_password(PASSWORD)
    assert user.password.startswith("pbkdf2")
    assert whoami(pair["access"]).status_code == 200


def test_a_deleted_users_refresh_is_no_server_error(client, alice):
    refresh = sign_in(client).json()["refresh"]
    alice.delete()
    assert post(client, "/v2/auth/refresh", {"refresh": refresh}).status_code == 401


def test_a_guest_gets_a_pair_where_guests_are_on(client, db, settings):
    settings.GUESTS = True
    pair = client.post("/v2/auth/guest").json()
    assert whoami(pair["access"]).status_code == 200
    assert User.objects.get().is_guest


def test_nobody_becomes_a_guest_where_guests_are_off(client, db, settings):
    settings.GUESTS = False
    assert client.post("/v2/auth/guest").status_code == 403
    assert client.post("/v2/auth/session").status_code == 401
    assert not User.objects.exists()


def test_the_page_gets_an_access_token_for_its_session(client, alice):
    client.force_login(alice)
    answer = client.post("/v2/auth/session").json()
    assert answer["expires_in"] == 300
    assert answer["user"] == {"name": "alice", "guest": False}
    assert whoami(answer["access"]).status_code == 200


def test_a_visitor_becomes_a_guest_once(client, db, settings):
    settings.GUESTS = True
    first, second = client.post("/v2/auth/session").json(), client.post("/v2/auth/session").json()
    assert first["user"]["guest"]
    assert User.objects.count() == 1
    assert whoami(second["access"]).status_code == 200


def test_the_pages_token_needs_the_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    answer = strict.post("/v2/auth/session")
    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"


def test_signing_out_of_the_page_ends_its_access_token(client, alice):
    client.force_login(alice)
    access = client.post("/v2/auth/session").json()["access"]
    other = tokens.access_for(alice)
    assert whoami(access).status_code == 200
    client.logout()
    assert whoami(access).status_code == 401
    assert whoami(other).status_code == 200


def session_user(client: Client, **headers: str) -> User:
    request = RequestFactory().get("/v2/streams/x", headers=headers)
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    return async_to_sync(sessions.holder)(request)


def test_the_session_reads_only_from_ones_own_page(client, alice):
    client.force_login(alice)
    assert session_user(client) == alice
    assert session_user(client, **{"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}) == alice
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        with pytest.raises(Unauthenticated):
            session_user(client, **headers)


def test_a_session_of_nobody_or_of_a_locked_user_reads_nothing(client, alice):
    with pytest.raises(Unauthenticated):
        session_user(client)
    client.force_login(alice)
    disable_in_bulk(alice)
    with pytest.raises(Unauthenticated):
        session_user(client)


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_an_unknown_name_takes_a_hash_as_a_wrong_password_does(alice, monkeypatch, name):
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    assert sign_in(Client(), name, "wrong").status_code == 401
    assert len(hashed) == 1


@pytest.mark.django_db(transaction=True)
async def test_a_password_is_hashed_off_the_loop_and_a_session_is_read_on_asgi():
    alice = await User.objects.acreate_user("alice", password=PASSWORD)
    client = AsyncClient()
    body = json.dumps({"username": "alice", "password": PASSWORD})
    assert (await client.post("/v2/auth/token", body, content_type="application/json")).status_code == 200
    await client.aforce_login(alice)
    assert (await client.post("/v2/auth/session")).status_code == 200
