"""`Turn`: what it notes of an answer, and what it leaves behind."""

import asyncio

import pytest

from chat.models import Message
from chat.protocol import events
from chat.protocol.prompt import Prompt
from chat.providers.catalogue import Catalogue
from tests.inside import Core


def answering(monkeypatch: pytest.MonkeyPatch, *chunks: events.Response) -> None:
    """Let the model's answer be these responses, 10 ms apart."""

    async def answer(asked: Prompt, give: events.Give) -> None:
        for chunk in chunks:
            give(events.chunk(chunk))
            await asyncio.sleep(0.01)

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))


def thought(text: str) -> events.Response:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text, "thought": True}]}}]}


async def test_nul_in_an_answer_is_replaced_before_it_is_stored(core: Core, monkeypatch: pytest.MonkeyPatch):
    answering(monkeypatch, events.delta("a\0b"), events.finish("STOP"))
    started = await core.ask("anything")
    log = await core.ended(started)

    assert events.answer_text(log) == "a\ufffdb"
    assert (await Message.objects.aget(pk=started.answer_id)).text == "a\ufffdb"


async def test_the_first_thought_and_the_first_token_are_noted(core: Core, monkeypatch: pytest.MonkeyPatch):
    answering(monkeypatch, thought("Hm."), thought("Well."), events.delta("Yes."), events.finish("STOP"))
    started = await core.ask("anything")
    running = core.turns.turn_of(started.pk)
    log = await core.ended(started)

    assert running is not None
    assert (running.first_thought_us, running.first_token_us) == (log[1].at, log[3].at)


async def test_an_answer_that_has_ended_leaves_no_timer(core: Core):
    started = await core.ask("words=3")
    running = core.turns.turn_of(started.pk)
    await core.ended(started)

    assert running is not None
    assert running._limit is not None
    assert running._limit.cancelled()
