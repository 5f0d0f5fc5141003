"""Discovery of local model servers: ports, capabilities, and no other requests."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from chat.protocol import events
from chat.protocol.prompt import Prompt
from chat.providers import found, openai
from chat.providers.catalogue import Catalogue
from chat.providers.local import provider as local
from tests.fakes import local_servers
from tests.fakes import openai as fake
from tests.fakes.server import Play, Reply, Request, Server
from tests.unit.providers.conftest import responses

pytestmark = pytest.mark.servers

ON = {"WONDERCAM_DISCOVER": "1"}
PATIENT = 60.0
"""Seconds that a server of these tests may take on a busy machine."""
EMBEDDED = "local/smollm2-135m"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is given up because the machine is busy."""
    monkeypatch.setattr(found, "SECONDS", PATIENT)


class Machine:
    """Servers by the names of their kinds, each at a port of its own; what is not among them does not listen."""

    def __init__(self, servers: dict[str, Server]) -> None:
        self.servers = servers

    def catalogue(self, settings: dict[str, str]) -> Catalogue:
        """The models with these settings, after the look that a process takes as it starts."""
        kinds = [replace(kind, port=self.port(kind)) for kind in found.KINDS]
        makers = [partial(found.from_settings, kind) for kind in kinds]
        return Catalogue(settings, (openai.from_settings, *makers, local.from_settings))

    def port(self, kind: found.Kind) -> int:
        """Where the server of that kind is; a port where nothing is for the others."""
        server = self.servers.get(kind.name)
        return urlsplit(server.url).port or 1 if server else 1

    def asked(self, name: str) -> list[str]:
        """The addresses that a server was asked for."""
        return [request.target for request in self.servers[name].requests]


async def machine(stack: AsyncExitStack, **plays: Play) -> Machine:
    """Start these servers."""
    return Machine({name: await stack.enter_async_context(Server(play)) for name, play in plays.items()})


@pytest.fixture
async def stack() -> AsyncGenerator[AsyncExitStack, None]:
    """Ends what was started."""
    async with AsyncExitStack() as opened:
        yield opened


async def listed(catalogue: Catalogue, stack: AsyncExitStack) -> list[tuple[str, bool]]:
    """Id and sight of all models, after the look."""
    stack.push_async_callback(catalogue.close)
    await catalogue.discover(PATIENT)
    return [(model.id, model.images) for model in catalogue.models()]


async def test_ollamas_models_are_offered_those_that_see_first_and_the_embedded_one_last(stack: AsyncExitStack) -> None:
    here = await machine(stack, ollama=local_servers.ollama)
    assert await listed(here.catalogue(ON), stack) == [
        ("ollama/gemma3:4b", True),
        ("ollama/llava:7b", True),
        ("ollama/qwen3:8b", False),
        ("ollama/codellama:13b", False),
        (EMBEDDED, False),
    ]


async def test_ollama_says_which_of_its_models_call_functions_and_which_think(stack: AsyncExitStack) -> None:
    here = await machine(stack, ollama=local_servers.ollama)
    catalogue = here.catalogue(ON)
    await listed(catalogue, stack)
    calling = [model.id for model in catalogue.models() if model.functions]
    assert calling == ["ollama/llava:7b", "ollama/qwen3:8b", "ollama/codellama:13b"]
    assert [model.id for model in catalogue.models() if model.thinks] == ["ollama/qwen3:8b"]


async def test_lm_studio_and_llama_cpp_say_in_their_own_way_what_sees(stack: AsyncExitStack) -> None:
    here = await machine(stack, lmstudio=local_servers.lmstudio, llamacpp=local_servers.llamacpp(sees=True))
    assert await listed(here.catalogue(ON), stack) == [
        ("lmstudio/qwen/qwen2-vl-7b", True),
        ("llamacpp/gemma-3-4b-it-Q4_K_M", True),
        ("lmstudio/meta-llama-3.1-8b-instruct", False),
        (EMBEDDED, False),
    ]
    here = await machine(stack, llamacpp=local_servers.llamacpp(sees=False))
    assert (await listed(here.catalogue(ON), stack))[0] == ("llamacpp/gemma-3-4b-it-Q4_K_M", False)


async def test_llama_cpp_says_whether_its_model_hears(stack: AsyncExitStack) -> None:
    for hears, heard in ((True, ("audio/wav", "audio/mp3")), (False, ())):
        here = await machine(stack, llamacpp=local_servers.llamacpp(sees=False, hears=hears))
        catalogue = here.catalogue(ON)
        await listed(catalogue, stack)
        assert catalogue.models()[0].sounds == heard


async def test_what_is_found_answers_and_gets_the_photo(stack: AsyncExitStack) -> None:
    here = await machine(stack, ollama=local_servers.ollama)
    catalogue = here.catalogue(ON)
    await listed(catalogue, stack)
    model = catalogue.models()[0]
    assert model.title == "gemma3:4b (Ollama)"
    photo = {"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}
    question = Prompt(model, [{"role": "user", "parts": [photo, {"text": "What is this?"}]}])
    said = [events.text_of(response) async for response in responses(question, catalogue.answer)]
    assert "".join(said) == fake.TEXT
    sent = here.servers["ollama"].requests[-1].json()
    assert sent["model"] == "gemma3:4b"
    assert sent["messages"][0]["content"][0]["type"] == "image_url"


async def test_nothing_is_asked_when_it_is_off_or_not_said(stack: AsyncExitStack) -> None:
    here = await machine(stack, ollama=local_servers.ollama)
    for settings in ({}, {"WONDERCAM_DISCOVER": "0"}, {**ON, "WONDERCAM_MODELS": EMBEDDED}):
        assert await listed(here.catalogue(settings), stack) == [(EMBEDDED, False)]
    assert here.asked("ollama") == []


async def test_it_is_asked_once_and_only_for_what_it_has(stack: AsyncExitStack) -> None:
    here = await machine(stack, ollama=local_servers.ollama)
    await listed(here.catalogue(ON), stack)
    assert sorted(here.asked("ollama")) == ["/api/show"] * 5 + ["/api/tags"]


async def test_a_model_that_is_asked_for_is_offered_alone_wherever_it_stands(stack: AsyncExitStack) -> None:
    here = await machine(stack, ollama=local_servers.ollama)
    wanted = {"WONDERCAM_MODELS": f"{EMBEDDED},ollama/gemma3:4b"}
    assert await listed(here.catalogue(wanted), stack) == [(EMBEDDED, False), ("ollama/gemma3:4b", True)]
    nothing = await machine(stack)
    assert await listed(nothing.catalogue(wanted), stack) == [(EMBEDDED, False), ("ollama/gemma3:4b", False)]
    all_of_it = await listed(here.catalogue({"WONDERCAM_MODELS": f"{EMBEDDED},ollama/*"}), stack)
    assert [name for name, _ in all_of_it][:2] == [EMBEDDED, "ollama/qwen3:8b"]


async def test_a_configured_provider_stays_the_default(stack: AsyncExitStack) -> None:
    here = await machine(stack, ollama=local_servers.ollama)
    async with Server(fake.play) as other:
        models = await listed(here.catalogue({**ON, "OPENAI_BASE_URL": f"{other.url}/v1"}), stack)
    assert [name for name, _ in models][:3] == ["openai/hello", "openai/org/second", "ollama/gemma3:4b"]
    assert EMBEDDED not in dict(models)


async def test_a_server_that_openai_base_url_names_is_not_offered_twice(stack: AsyncExitStack) -> None:
    here = await machine(stack, llamacpp=local_servers.llamacpp(sees=True))
    base = here.servers["llamacpp"].url.replace("127.0.0.1", "localhost")
    models = await listed(here.catalogue({**ON, "OPENAI_BASE_URL": f"{base}/v1"}), stack)
    assert all(name.startswith("openai/") for name, _ in models)


def other_program(status: int, body: Any) -> Play:
    """Something else at that port."""

    async def play(request: Request, reply: Reply) -> None:
        await reply.whole(status, body)

    return play


@pytest.mark.parametrize(
    "play",
    [
        other_program(404, b"not here"),
        other_program(302, b""),
        other_program(200, b"<!doctype html><title>Tomcat</title>"),
        other_program(200, []),
        other_program(200, {"models": "many", "data": 7}),
        other_program(200, {"models": [{"name": 3}], "data": [{"id": None, "type": "llm"}, {"type": []}]}),
        other_program(200, {"default_generation_settings": {}, "data": [{"id": 1}], "models": [None]}),
        other_program(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
    ],
)
async def test_another_program_at_such_a_port_is_no_model_server_and_no_line_in_the_log(
    stack: AsyncExitStack, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    here = await machine(stack, ollama=play, lmstudio=play, llamacpp=play)
    assert await listed(here.catalogue(ON), stack) == [(EMBEDDED, False)]
    assert caplog.records == []


async def test_a_program_that_says_nothing_keeps_nobody_waiting(
    stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(request: Request, reply: Reply) -> None:
        await reply.stall()

    monkeypatch.setattr(found, "SECONDS", 0.1)
    here = await machine(stack, ollama=silent, lmstudio=silent, llamacpp=silent)
    assert await listed(here.catalogue(ON), stack) == [(EMBEDDED, False)]


def test_the_usual_ports_of_this_machine_are_asked_and_no_other_address() -> None:
    servers = [found.from_settings(kind, ON) for kind in found.KINDS]
    assert [server.base for server in servers if server] == [
        "http://127.0.0.1:11434",
        "http://127.0.0.1:1234",
        "http://127.0.0.1:8080",
    ]
