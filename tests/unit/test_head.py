"""HEAD: what GET says without its body (RFC 9110, section 9.3.2), and nothing that a GET would begin or use up."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from django.test import AsyncClient, AsyncRequestFactory, Client
from django.urls import resolve

from chat.accounts import tokens
from chat.models import Stream
from chat.views.openapi.document import document
from tests.inside import Core
from tests.servers.wondercam import WonderCam

ENDLESS = ("events", "feed", "probe", "/v2/echat")
"""What is left out of a comparison, since its GET starts something or does not end."""
QUESTION = quote(json.dumps({"contents": [{"text": "words=1"}]}))
NOBODYS = "00000000-0000-4000-8000-000000000000"
VARYING = {"content-length", "server-timing"}


def as_user(core: Core) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access_for(core.user)}"}


async def answered(core: Core, path: str) -> Any:
    """The view's own response: Django's client takes the body from what comes of HEAD."""
    view, args, kwargs = resolve(path.partition("?")[0])
    return await view(AsyncRequestFactory().head(path, headers=as_user(core)), *args, **kwargs)


def addresses(stream: Stream, path: str) -> str:
    """A described address with the ids of what is stored."""
    ids = {"stream": stream.pk, "id": stream.conversation_id, "model": "x", "response": f"resp_{stream.pk.hex}"}
    return re.sub(r"\{(\w+)\}", lambda found: str(ids[found[1]]), path)


def gets() -> Iterator[str]:
    """Every described address with a GET."""
    yield from (path for path, methods in document()["paths"].items() if "get" in methods)


def named(response: Any) -> set[str]:
    return {name.lower() for name in response.headers} - VARYING


async def test_every_get_that_ends_is_answered_the_same_way(core: Core, settings):
    settings.SECURE_SSL_REDIRECT = False
    stream = await core.ask("words=1")
    await core.ended(stream)
    compared = 0
    for path in gets():
        if path.endswith(ENDLESS) or "attachments" in path:
            continue
        address = addresses(stream, path)
        head = await AsyncClient().head(address, headers=as_user(core))
        got = await AsyncClient().get(address, headers=as_user(core))
        assert (head.status_code, named(head)) == (got.status_code, named(got)), address
        compared += 1
    assert compared > 10


@pytest.mark.parametrize("path", ["/v2/feed", "/v2/probe", f"/v2/echat?data={QUESTION}"])
async def test_a_stream_is_not_begun_by_it(core: Core, path):
    response = await answered(core, path)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")
    assert [piece async for piece in response] == []
    assert "Content-Length" not in response.headers, "GET has none"
    assert not await Stream.objects.aexists()


async def test_a_stream_that_runs_is_not_followed_by_it(core: Core):
    stream = await core.ask("words=5 gap=0 hold=3")
    response = await answered(core, f"/v2/streams/{stream.pk}")
    assert (response.status_code, response.headers["X-Stream-Id"]) == (200, str(stream.pk))
    assert [piece async for piece in response] == []
    core.model.let()
    await core.ended(stream)


async def test_it_refuses_as_the_get_does(core: Core):
    assert (await AsyncClient().head(f"/v2/echat?data={QUESTION}")).status_code == 401
    assert (await AsyncClient().head("/v2/echat", headers=as_user(core))).status_code == 400
    assert (await AsyncClient().head(f"/v2/streams/{NOBODYS}", headers=as_user(core))).status_code == 404


async def test_the_export_is_still_there_after_it(core: Core):
    assert (await AsyncClient().head("/v2/me/export", headers=as_user(core))).status_code == 200
    assert (await AsyncClient().get("/v2/me/export", headers=as_user(core))).status_code == 200


def test_what_is_allowed_is_what_is_described(db):
    for path, methods in document()["paths"].items():
        address = re.sub(r"\{(\w+)\}", lambda found: "x" if found[1] in ("model", "response") else NOBODYS, path)
        allowed = Client().options(address).headers["Allow"].split(", ")
        assert {name.upper() for name in methods} | {"OPTIONS"} == set(allowed), path


def test_a_real_server_sends_no_byte_behind_the_headers(shared_server: WonderCam):
    token = shared_server.guest()
    with shared_server.client(token) as client:
        for path in ("/v2/models", "/v2/feed", "/v2/probe", "/healthz"):
            response = client.head(path)
            assert (response.status_code, response.content) == (200, b"")
            assert client.get("/healthz").json() == {"status": "ok"}, "the connection goes on"
        assert client.head("/v2/models").headers["Content-Length"] == str(len(client.get("/v2/models").content))
    assert httpx.head(f"{shared_server.url}/v2/models").status_code == 401
