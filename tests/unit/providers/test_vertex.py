"""Vertex AI: tokens from Google's library, and the requests that carry them."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from chat.protocol import errors
from chat.providers import vertex
from tests.catalogue import providers
from tests.fakes import gemini
from tests.fakes.google import TokenServer
from tests.fakes.server import Reply, Request, Server
from tests.unit.providers.conftest import ONCE, ask

pytestmark = pytest.mark.servers


@pytest.fixture
async def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[TokenServer, Server], None]:
    """A token endpoint, a Vertex AI, and a service account that the environment names."""
    async with TokenServer() as tokens, Server(gemini.play) as server:
        account = tokens.write_account(tmp_path / "account.json")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
        given = {"VERTEX_PROJECT": "my-project", "VERTEX_LOCATION": "europe-west4", "VERTEX_BASE_URL": server.url}
        providers.configure({**ONCE, "WONDERCAM_MODELS": "vertex/hello", **given})
        yield tokens, server


async def test_an_answer_is_fetched_with_a_token_of_the_service_account(
    upstream: tuple[TokenServer, Server], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens, server = upstream
    outcome = await ask("vertex/hello")
    assert (outcome.text, outcome.reason) == (gemini.TEXT, "STOP")
    (request,) = server.requests
    path = "/v1/projects/my-project/locations/europe-west4/publishers/google/models/hello"
    assert request.target == f"{path}:streamGenerateContent?alt=sse"
    assert request.headers["authorization"] == "Bearer token-1"
    assert "token-1" not in caplog.text
    assert tokens.given == 1


async def test_a_token_is_used_again_and_fetched_once_for_all_who_wait(upstream: tuple[TokenServer, Server]) -> None:
    tokens, server = upstream
    await asyncio.gather(*(ask("vertex/hello") for _ in range(5)))
    await ask("vertex/hello")
    assert tokens.given == 1
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer token-1"}


async def test_a_token_near_its_end_still_serves_while_the_next_is_fetched(
    upstream: tuple[TokenServer, Server],
) -> None:
    tokens, server = upstream
    tokens.lifetime = 120  # less than google-auth's margin of 225 s: stale from the beginning
    await ask("vertex/hello")
    tokens.lifetime = 3600
    await ask("vertex/hello")
    async with asyncio.timeout(60):
        while tokens.given < 2:
            await asyncio.sleep(0.01)
        while (await ask("vertex/hello")).error or server.requests[-1].headers["authorization"] != "Bearer token-2":
            pass
    assert [request.headers["authorization"] for request in server.requests[:2]] == ["Bearer token-1"] * 2


async def test_a_token_that_has_ended_is_never_sent_again(upstream: tuple[TokenServer, Server]) -> None:
    tokens, server = upstream
    tokens.lifetime = 0
    await ask("vertex/hello")
    tokens.lifetime = 3600
    assert (await ask("vertex/hello")).text == gemini.TEXT
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer token-1", "Bearer token-2"]


async def test_the_loop_runs_on_while_a_token_is_fetched(upstream: tuple[TokenServer, Server]) -> None:
    tokens, _ = upstream
    give, asked, beaten = tokens.play, asyncio.Event(), asyncio.Event()

    async def slowly(request: Request, reply: Reply) -> None:
        asked.set()
        await beaten.wait()
        await give(request, reply)

    tokens.play = slowly
    asking = asyncio.ensure_future(ask("vertex/hello"))
    await asked.wait()
    for _ in range(15):
        await asyncio.sleep(0.01)
    beaten.set()
    assert (await asking).error is None


async def test_refused_credentials_are_a_typed_error_that_tells_nothing(
    upstream: tuple[TokenServer, Server], caplog: pytest.LogCaptureFixture
) -> None:
    tokens, server = upstream
    tokens.status = 400
    outcome = await ask("vertex/hello")
    assert isinstance(outcome.error, errors.PermissionDenied)
    assert "SECRET" not in outcome.error.message + caplog.text
    assert server.requests == []


async def test_no_credentials_at_all_are_a_typed_error(
    upstream: tuple[TokenServer, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/account.json")
    assert isinstance((await ask("vertex/hello")).error, errors.PermissionDenied)


async def test_a_sign_in_that_does_not_answer_is_a_typed_error_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vertex, "TOKEN_SECONDS", 0.3)
    monkeypatch.setattr(vertex, "HTTP_SECONDS", 1.0)

    async with TokenServer() as tokens:

        async def stall(request: Request, reply: Reply) -> None:
            await reply.stall()

        tokens.play = stall
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tokens.write_account(tmp_path / "account.json")))
        providers.configure({**ONCE, "WONDERCAM_MODELS": "vertex/hello", "VERTEX_PROJECT": "p"})
        outcome = await ask("vertex/hello")
        assert isinstance(outcome.error, errors.Unavailable)


ADDRESSES = [
    ("europe-west4", "", "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/"),
    ("global", "", "https://aiplatform.googleapis.com/v1/projects/p/locations/global/"),
    ("global", "https://private.example/v1beta1", "https://private.example/v1beta1/projects/p/locations/global/"),
]


@pytest.mark.parametrize(("location", "base", "expected"), ADDRESSES)
def test_the_address_is_the_regions_or_the_global_one(location: str, base: str, expected: str) -> None:
    assert vertex.model_address("p", location, base)("gemini-x") == f"{expected}publishers/google/models/gemini-x"
