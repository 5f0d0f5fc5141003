"""Upstreams that load their model first: longer timeouts, and a notice to the user."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers import openai, policy
from chat.providers.breaker import Breaker
from chat.providers.catalogue import Catalogue
from chat.providers.policy import AttemptLimits, Attempts
from tests.fakes import openai as fake
from tests.fakes.server import Play, Reply, Request, Server

pytestmark = pytest.mark.servers

PROMPT = Prompt(Model("openai", "no-done", "Big"), [{"role": "user", "parts": [{"text": "Hi"}]}])
EAGER = AttemptLimits(first=0.01, loading=30.0, idle=30.0, total=30.0, silence=0.05, again=0.05)
LOADING = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
"""As llama.cpp answers until its model is there."""


def loading_for(times: int, message: Any = LOADING) -> Play:
    """So many refusals as of a server that loads, then its answer."""
    left = [times]

    async def play(request: Request, reply: Reply) -> None:
        left[0] -= 1
        if left[0] >= 0:
            await reply.whole(503, message)
        else:
            await fake.play(request, reply)

    return play


async def asked(url: str, limits: AttemptLimits, given: list[events.Response], is_local: bool = True) -> Attempts:
    """Ask the server at that address into `given`; the attempts that it took."""
    reader = openai.OpenAI((PROMPT.model,), f"{url}/v1")
    attempts = Attempts(limits, time.monotonic() + limits.total)

    def give(chunk: events.Chunk) -> None:
        given.append(events.decode(chunk.data))

    try:
        await policy.answer(reader.answer, PROMPT, Breaker(), attempts, give, is_local)
    finally:
        await reader.close()
    return attempts


def notices(given: list[events.Response]) -> list[tuple[str, str]]:
    """Kind and sentence of each notice."""
    found = [response["wondercam"]["notice"] for response in given if "wondercam" in response]
    return [(notice["kind"], notice["message"]) for notice in found]


async def test_a_silent_server_on_this_machine_is_waited_for_and_its_reader_is_told_once() -> None:
    told = asyncio.Event()

    async def cold(request: Request, reply: Reply) -> None:
        await told.wait()  # by then it has taken longer than any other model may for its first word
        await fake.play(request, reply)

    class Given(list[events.Response]):
        def append(self, response: events.Response) -> None:
            super().append(response)
            told.set()

    async with Server(cold) as server:
        given = Given()
        await asked(server.url, EAGER, given)
        assert notices(given) == [
            (events.LOADING, "Big is being loaded or still reads the question: on this machine that can take minutes.")
        ]
        assert "".join(map(events.text_of, given)) == fake.TEXT


async def test_a_server_that_refuses_while_it_loads_is_asked_until_it_is_done() -> None:
    async with Server(loading_for(7)) as server:
        given: list[events.Response] = []
        await asked(server.url, replace(EAGER, attempts=1, silence=30), given)
        assert notices(given) == [(events.LOADING, "Big is being loaded: this can take minutes.")]
        assert "".join(map(events.text_of, given)) == fake.TEXT
        assert len(server.requests) == 8


@pytest.mark.slow
async def test_a_server_that_never_loads_is_given_up_at_the_limit() -> None:
    async with Server(loading_for(10**6)) as server:
        with pytest.raises(errors.Unavailable, match="is still loading its model"):
            await asked(server.url, replace(EAGER, loading=2.0), [])  # for each attempt, too: on a busy machine
        assert len(server.requests) > 1


async def test_a_silence_that_goes_on_is_told_as_what_it_may_be() -> None:
    async def never(request: Request, reply: Reply) -> None:
        await reply.stall()

    async with Server(never) as server:
        with pytest.raises(errors.DeadlineExceeded, match=r"within 0\.3 seconds: it may still be loading"):
            await asked(server.url, replace(EAGER, loading=0.3, attempts=1), [])


async def test_the_time_of_loading_is_no_part_of_the_answers_time() -> None:
    async with Server(loading_for(5)) as server:
        given: list[events.Response] = []
        before = time.monotonic() + EAGER.total
        attempts = await asked(server.url, EAGER, given)
        assert attempts.ends >= before + 4 * EAGER.again


async def test_a_server_elsewhere_has_the_usual_limit_and_no_notice() -> None:
    async def never(request: Request, reply: Reply) -> None:
        await reply.stall()

    async with Server(never) as server:
        given: list[events.Response] = []
        with pytest.raises(errors.DeadlineExceeded, match=r"did not begin to answer within 0\.01 seconds\."):
            await asked(server.url, replace(EAGER, attempts=1), given, is_local=False)
        assert given == []


@pytest.mark.parametrize(
    ("settings", "loading"),
    [
        ({}, 300),
        ({"WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "7"}, 7),
        ({"WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "7", "WONDERCAM_LIMIT_LOADING_SECONDS": "90"}, 90),
    ],
)
def test_the_limit_is_five_minutes_unless_one_is_set(settings: dict[str, str], loading: float) -> None:
    assert AttemptLimits.from_settings(settings).loading == loading


@pytest.mark.parametrize(
    ("base", "is_local"),
    [
        ("http://127.0.0.1:11434/v1", True),
        ("http://localhost:1234/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://192.168.1.5:8000/v1", False),
        ("https://localhost.example.com/v1", False),
        ("https://api.openai.com/v1", False),
    ],
)
def test_a_server_at_a_loopback_address_is_one_of_this_machine(base: str, is_local: bool) -> None:
    catalogue = Catalogue({"OPENAI_BASE_URL": base, "OPENAI_API_KEY": "k", "WONDERCAM_MODELS": "openai/m"})
    provider, _ = catalogue.find("openai/m")
    assert getattr(provider, "is_local", None) is is_local
