"""The real embedded model: answers, slots, and errors."""

import asyncio
import builtins
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers.http.client import Connection
from chat.providers.local import provider as local
from chat.providers.local import server
from chat.providers.openai import OpenAI
from tests.catalogue import providers
from tests.fakes.gguf import MODEL_HEAD, gguf
from tests.unit.providers.conftest import ONCE, ask, responses

SETTINGS = {**ONCE, "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "250", "WONDERCAM_LIMIT_IDLE_SECONDS": "250"}
SETTINGS |= {"WONDERCAM_LIMIT_STREAM_SECONDS": "280", "WONDERCAM_MODELS": "local/smollm2-135m"}
FAST = {"maxOutputTokens": 8}


@pytest.fixture(scope="module")
def model() -> Generator[server.Embedded, None, None]:
    """One server for this file, with a single slot."""
    one = server.Embedded(server.Shape(slots=1, context=1024, threads=1))
    yield one
    one.stop()


@pytest.fixture
def one_slot(model: server.Embedded, monkeypatch: pytest.MonkeyPatch) -> local.Local:
    """The embedded provider on that server."""
    provider = local.Local(model)
    monkeypatch.setattr("chat.providers.catalogue.PROVIDERS", (lambda settings: provider,))
    monkeypatch.setattr(model, "stop", lambda: None)
    providers.configure(SETTINGS)
    return provider


def prompt(question: str, model: local.Local, **generation: int) -> Prompt:
    """A question to the embedded model."""
    return Prompt(model.models()[0], [{"role": "user", "parts": [{"text": question}]}], generation=generation)


async def test_it_answers_a_question_in_many_small_pieces_and_counts_them(one_slot: local.Local) -> None:
    outcome = await ask(None, "What is the capital of France?", generation={"temperature": 0, "seed": 1})
    assert outcome.error is None
    assert "Paris" in outcome.text
    assert len(outcome.responses) > 4
    assert outcome.responses[-1]["usageMetadata"]["candidatesTokenCount"] >= 4


async def test_the_others_wait_in_turn_and_are_told_their_place(one_slot: local.Local) -> None:
    outcomes = await asyncio.gather(*(ask(None, f"Count to {n}.", generation=FAST) for n in range(3)))
    assert [outcome.error for outcome in outcomes] == [None] * 3
    first, second, third = (
        [message for kind, message in outcome.notices if kind == events.WAITING] for outcome in outcomes
    )
    assert first == []
    assert second == [local.waiting(0)]
    assert third == [local.waiting(1), local.waiting(0)]


@pytest.mark.parametrize("question", ["Tell me a very long story about a dragon.", "word " * 350])
async def test_closing_an_answer_frees_its_slot_at_once(one_slot: local.Local, question: str) -> None:
    await ask(None, "Hi", generation=FAST)  # loaded and warm
    answer = responses(prompt(question, one_slot))
    reading = asyncio.ensure_future(anext(answer))
    await asyncio.wait([reading], timeout=0.3)  # in the prompt, or in the first words
    start = time.monotonic()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await answer.aclose()
    assert time.monotonic() - start < 5
    async for response in responses(prompt("Hi", one_slot, **FAST)):
        assert response.get("wondercam", {}).get("notice", {}).get("kind") != events.WAITING  # nobody is ahead any more
        break
    assert time.monotonic() - start < 8  # llama.cpp has let the other go, or this would have waited for all of it


async def test_someone_who_leaves_the_queue_lets_the_others_move_up(one_slot: local.Local) -> None:
    long = responses(prompt("Tell me a very long story.", one_slot))
    await anext(long)
    second, third = (responses(prompt("Hi", one_slot, **FAST)) for _ in range(2))
    assert await anext(second) == events.notice(events.WAITING, local.waiting(0))
    assert await anext(third) == events.notice(events.WAITING, local.waiting(1))
    await second.aclose()
    assert await anext(third) == events.notice(events.WAITING, local.waiting(0))
    await long.aclose()
    assert events.parts_of(await anext(third))
    await third.aclose()


async def test_its_server_answers_nobody_else(one_slot: local.Local, model: server.Embedded) -> None:
    running = await asyncio.wrap_future(model.start())
    assert running.address.startswith("http://127.0.0.1:")
    assert running.key not in repr(running)
    async with aiohttp.ClientSession(headers={"Origin": "http://evil.example"}) as session:
        for path in ("/v1/models", "/props", "/slots", "/metrics"):
            async with session.get(running.address + path) as response:
                assert response.status in (401, 404, 501)
                assert response.headers.get("Access-Control-Allow-Origin") not in ("*", "http://evil.example")


@pytest.mark.servers
async def test_the_openai_reader_reads_a_real_llama_cpp(model: server.Embedded) -> None:
    running = await asyncio.wrap_future(model.start())
    reader = OpenAI((Model("openai", "any"),), f"{running.address}/v1", running.key, connection=Connection())
    try:
        await reader.discover()
        assert reader.models()[0].context == 1024
        contents = [{"role": "user", "parts": [{"text": "Tell me a very long story."}]}]
        question = Prompt(reader.models()[0], contents, generation=FAST)
        found = [response async for response in responses(question, reader.answer)]
    finally:
        await reader.close()
    assert "MAX_TOKENS" in map(events.finish_reason, found)
    assert found[-1]["usageMetadata"]["candidatesTokenCount"] == 8
    assert "".join(map(events.text_of, found))


async def test_a_long_conversation_loses_its_oldest_turns_and_is_answered(one_slot: local.Local) -> None:
    turn = [
        {"role": "user", "parts": [{"text": "tell me " * 100}]},
        {"role": "model", "parts": [{"text": "no " * 100}]},
    ]
    contents = turn * 5 + [{"role": "user", "parts": [{"text": "Hi"}]}]
    outcome = await ask(None, contents=contents, generation=FAST)
    assert outcome.error is None
    assert outcome.responses[-1]["usageMetadata"]["promptTokenCount"] <= 1024 - 8


async def test_a_message_that_is_too_long_by_itself_is_refused(one_slot: local.Local) -> None:
    assert isinstance((await ask(None, "word " * 2000)).error, errors.TooLarge)


async def test_a_photo_is_refused_with_a_sentence_that_says_who_can_see() -> None:
    providers.configure({**SETTINGS, "WONDERCAM_MODELS": "local/smollm2-135m,recording/hello", "WONDERCAM_OCR": "0"})
    photo = [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}]}]
    outcome = await ask("local/smollm2-135m", contents=photo)
    assert isinstance(outcome.error, errors.InvalidArgument)
    assert "cannot see photos" in outcome.error.message
    assert "recording/hello can" in outcome.error.message


async def test_weights_that_the_engine_cannot_load_are_a_typed_error_every_time(tmp_path: Path) -> None:
    path = tmp_path / "hollow.gguf"
    path.write_bytes(gguf(MODEL_HEAD))
    providers.configure({**SETTINGS, "LOCAL_WEIGHTS": str(path), "WONDERCAM_MODELS": "local/hollow"})
    for _ in range(2):
        error = (await ask(None)).error
        assert isinstance(error, errors.Unavailable)
        assert "could not be loaded" in error.message


async def test_weights_that_are_gone_since_the_start_are_told_without_a_word_of_trying_again(tmp_path: Path) -> None:
    path = tmp_path / "gone.gguf"
    path.write_bytes(gguf(MODEL_HEAD))
    providers.configure({**SETTINGS, "LOCAL_WEIGHTS": str(path), "WONDERCAM_MODELS": "local/gone"})
    path.unlink()
    error = (await ask(None)).error
    assert isinstance(error, errors.NotFound)
    assert "LOCAL_WEIGHTS" in error.message
    assert "again" not in error.message


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (ImportError("libgomp.so.1: cannot open shared object file: No such file or directory"), "libgomp1"),
        (ImportError("libother.so.2: cannot open shared object file: No such file or directory"), "libother.so.2"),
        (ModuleNotFoundError("No module named 'xllamacpp'"), "make install"),
    ],
)
async def test_an_engine_that_waiting_cannot_mend_is_told_without_a_word_of_trying_again(
    monkeypatch: pytest.MonkeyPatch, wrong: ImportError, words: str
) -> None:
    imported = builtins.__import__

    def refused(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "xllamacpp":
            raise wrong
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refused)
    providers.configure(SETTINGS)
    outcome = await ask(None)
    assert isinstance(outcome.error, errors.NotFound)
    assert words in outcome.error.message
    assert "again" not in outcome.error.message


@pytest.mark.slow
async def test_a_loading_that_hangs_is_told_and_is_a_typed_error_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(self: server.Embedded) -> server.Running:
        release.wait(60)
        raise errors.Unavailable("never mind")

    release = threading.Event()
    monkeypatch.setattr(server.Embedded, "_run", hang)
    monkeypatch.setattr(local, "LOADING_AFTER", 0.1)
    providers.configure({**SETTINGS, "WONDERCAM_LIMIT_LOADING_SECONDS": "3"})
    outcome = await ask(None)
    release.set()
    assert outcome.notices == [(events.LOADING, local.IS_LOADING)]
    assert isinstance(outcome.error, errors.DeadlineExceeded)
    assert "within 3 seconds: it may still be loading" in outcome.error.message


async def letters(text: str) -> int:
    """A letter is a token."""
    return len(text)


async def test_the_newest_turns_are_kept_and_the_first_of_them_is_the_users() -> None:
    contents = [
        {"role": role, "parts": [{"text": letter * 100}]}
        for role, letter in [("user", "a"), ("model", "b"), ("user", "c"), ("model", "d"), ("user", "e")]
    ]
    asked = Prompt(Model("local", "x"), contents, system="S", generation={"maxOutputTokens": 100})
    room = 100 + local.TEMPLATE_TOKENS + 1 + local.TURN_TOKENS
    for turns_that_fit, kept in [(5, "abcde"), (4, "cde"), (3, "cde"), (2, "e"), (1, "e")]:
        context = room + turns_that_fit * (100 + local.TURN_TOKENS)
        fitted = await local.fitted(asked, context, letters)
        assert "".join(content["parts"][0]["text"][0] for content in fitted.contents) == kept
    with pytest.raises(errors.TooLarge):
        await local.fitted(asked, room + 50, letters)
