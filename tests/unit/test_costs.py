"""The cost of events and requests in exact counts: queries, commits, writes, calls and threads."""

import asyncio
import gc
import sys
from collections import Counter
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.log import WriteClock, eventlog, tail
from chat.log.sqlite_commit import SqliteConnection
from chat.models import User
from chat.protocol import events
from chat.protocol.request import Ask
from chat.providers.catalogue import Catalogue
from chat.turns.start import Start
from chat.views import event_stream
from tests.catalogue import providers
from tests.fakes import gemini
from tests.fakes.server import Reply, Request, Server
from tests.inside import Core
from tests.servers.wondercam import Serve

EVENTS = 200

QUERIES_TO_OK = 5
"""Conversation, messages, stream, event 0, the feeds' lines; who asks is one more, before the transaction."""

CALLS_PER_EVENT = 50.6
"""Functions of ours entered from the provider's chunk to the bytes that a reader asks for: 44.0 measured, and 15 %."""

CALLS_PER_TOKEN = 41.2
"""Functions of ours and aiohttp's from the model's socket to the piece that a reader asks for: 35.8, and 15 %."""

CALLS_PER_TURN = 674
"""Python functions entered from the start of a turn with one event to the piece that has its end: 586, and 15 %."""

CALLS_FOR_A_RECEIPT = 2.5
"""The same for a reader who will leave a receipt, on top: 2.15 measured, and 15 %."""

CHAT = str(Path(eventlog.__file__).parents[1])


def statements(captured: CaptureQueriesContext) -> list[str]:
    """What was asked of the database, savepoints apart."""
    return [query["sql"] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]


@pytest.mark.django_db
def test_a_question_is_stored_in_five_statements():
    user = User.objects.create(username="ann")
    contents = [{"role": "user", "parts": [{"text": "Why?"}]}]
    _, model = providers.find(None)
    start = Start(user, Ask(contents=contents), contents, model, monotonic(), "worker")
    with CaptureQueriesContext(connection) as captured:
        start.store()

    assert len(statements(captured)) <= QUERIES_TO_OK, statements(captured)


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that costs nothing: what is counted is ours."""

    async def answer(prompt: Any, give: events.Give) -> None:
        for number in range(EVENTS):
            give(events.chunk(events.delta(f"{number} ")))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        give(events.chunk(events.finish("STOP")))

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))


async def pieces_of(core: Core, *, receipt: bool = False, pushed: bool = False) -> list[bytes]:
    """Ask, and read the whole stream as a reader gets it; `pushed`: by a server that takes pieces at once."""
    started = await core.ask("Why?")
    log = WriteClock(core.log, started) if receipt else core.log
    pieces: list[bytes] = []

    def take(piece: bytes) -> bool:
        pieces.append(piece)
        return True

    async for piece in event_stream.event_stream(log, started.pk, push=take if pushed else None):
        pieces.append(piece)
    return pieces


@pytest.mark.usefixtures("talkative")
async def test_an_event_is_at_most_one_commit_and_one_write(core: Core, monkeypatch: pytest.MonkeyPatch):
    commits: list[int] = []
    store = SqliteConnection.store

    def counted(self: SqliteConnection, rows: Any, endings: Any, job: Any = None) -> None:
        commits.append(len(rows))
        store(self, rows, endings, job)

    monkeypatch.setattr(SqliteConnection, "store", counted)
    pieces = await pieces_of(core)

    assert b"".join(pieces).count(b"\nid: ") + 1 >= EVENTS
    assert len(commits) <= EVENTS + 2  # the question and its OK are one, the last event and the end are one
    assert len(pieces) <= EVENTS + 3


async def calls_an_event(core: Core, **how: bool) -> float:
    """Functions of ours that are entered for an event of a whole stream."""
    calls = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal calls
        calls += event == "call" and CHAT in frame.f_code.co_filename

    sys.setprofile(count)
    try:
        await pieces_of(core, **how)
    finally:
        sys.setprofile(None)
    return calls / EVENTS


@pytest.mark.usefixtures("talkative")
async def test_an_event_takes_few_calls(core: Core):
    await pieces_of(core)  # what is imported, opened and cached once
    assert await calls_an_event(core) < CALLS_PER_EVENT


@pytest.mark.usefixtures("talkative")
async def test_the_clock_of_a_receipt_takes_few_calls_more(core: Core):
    await pieces_of(core, receipt=True, pushed=True)  # what is imported, opened and cached once
    plain = await calls_an_event(core, pushed=True)
    timed = await calls_an_event(core, pushed=True, receipt=True)
    assert timed - plain < CALLS_FOR_A_RECEIPT


async def play(request: Request, reply: Reply) -> None:
    """Gemini's stream, every event in a piece of its own."""
    await reply.head()
    for number in range(EVENTS):
        await reply.send(gemini.sse(gemini.chunk(f"{number} ")))
        await asyncio.sleep(0)
    await reply.send(gemini.sse(gemini.chunk("", "STOP")))
    await reply.end()


async def test_an_event_takes_few_calls_from_the_models_socket_to_the_readers(core: Core):
    calls = Counter[str]()

    def count(frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and (CHAT in file or "aiohttp" in file):
            calls[frame.f_code.co_qualname] += 1

    async with Server(play) as server:
        settings = {"WONDERCAM_MODELS": "gemini/m", "GEMINI_API_KEY": "k", "GEMINI_BASE_URL": server.url}
        providers.configure(settings)
        await pieces_of(core)  # what is imported, opened and cached once
        sys.setprofile(count)
        try:
            pieces = await pieces_of(core)
        finally:
            sys.setprofile(None)

    assert b"".join(pieces).count(b"\nid: ") > EVENTS
    assert calls.total() / EVENTS < CALLS_PER_TOKEN, calls.most_common(60)


async def test_a_turn_of_one_event_takes_few_calls(core: Core, monkeypatch: pytest.MonkeyPatch):
    async def answer(prompt: Any, give: events.Give) -> None:
        give(events.chunk(events.finish("STOP")))

    calls = Counter[str]()

    def count(frame: FrameType, event: str, _: Any) -> None:
        calls[frame.f_code.co_qualname] += event == "call"

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))
    for _ in range(2):  # what is imported, opened and cached once
        await pieces_of(core)
    sys.setprofile(count)
    try:
        await pieces_of(core)
    finally:
        sys.setprofile(None)

    assert calls.total() < CALLS_PER_TURN, calls.most_common(60)


@pytest.mark.usefixtures("talkative")
async def test_a_turn_leaves_nothing_to_the_collector_of_cycles(core: Core):
    await pieces_of(core)  # what is imported, opened and cached once
    gc.collect()
    gc.disable()
    try:
        await pieces_of(core)
        await asyncio.sleep(0)  # the turn's task is let go in the loop's next turn
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_nor_does_one_within_limits_whose_answer_comes_over_http(core: Core, settings: Any):
    settings.LIMITS_OFF = False

    async def turn() -> None:
        await core.ended(await core.ask("words=20 gap=0"))
        await asyncio.sleep(0)

    for _ in range(2):  # what is imported, opened and cached once
        await turn()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await turn()
        gc.collect()
        left = [found for found in gc.garbage if type(found).__module__.startswith(("chat.", "aiohttp.", "django."))]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()

    assert left == []  # a closed connection's cycle is asyncio's own


def threads_of(pid: int) -> int:
    """The threads of a process, by the kernel's count."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Threads:")))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="counts threads in /proc")
async def test_sixty_more_streams_take_no_more_threads_than_there_are_executors(serve: Serve):
    server = serve({"WONDERCAM_MODELS": "recording/long", "WONDERCAM_RECORDING_SPEED": "0.05"})
    headers = {"Authorization": f"Bearer {await asyncio.to_thread(server.guest)}"}

    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=90) as client:
        readers: list[httpx.Response] = []

        async def open_one() -> None:
            request = client.build_request("POST", "/v2/echat", json={"contents": [{"text": "Why?"}]})
            response = await client.send(request, stream=True)
            assert response.status_code == 200
            await anext(response.aiter_bytes())
            readers.append(response)

        await asyncio.gather(*(open_one() for _ in range(20)))
        few = threads_of(server.pid)
        await asyncio.gather(*(open_one() for _ in range(60)))
        many = threads_of(server.pid)
        for reader in readers:
            await reader.aclose()

    assert many <= min(12, few + 4), f"{few} threads at 20 streams, {many} at 80"


def test_nothing_is_left_of_a_stream_in_memory_but_its_tail():
    assert eventlog.ENDED_TAILS * tail.TAIL_BYTES <= 16 * 1024 * 1024
