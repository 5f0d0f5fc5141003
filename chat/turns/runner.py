"""All turns of this process: start, stop, drain.

    start ── Opening.store (message + event 0, one transaction) ── the reader has its OK
      └─ Turn, a task of its own: providers.answer → Tail.append → commit → live.announce

A turn belongs to no request: a reader may go and come back; only `stop` stops it.
"""

import asyncio
import contextvars
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from chat import limits, metrics, providers
from chat.log import eventlog, notifier
from chat.models import Stream, Ticket, User
from chat.protocol import events, prompt
from chat.protocol.errors import InvalidArgument, TooLarge, Unavailable
from chat.protocol.request import Ask, check_generation, contents_of, system_of, text_bytes
from chat.turns import photos
from chat.turns.start import Opened, Opening
from chat.turns.turn import Turn

_turns: dict[UUID, Turn] = {}
_beginnings: set[asyncio.Task[Stream]] = set()
_draining = False


async def start(
    user: User, ask: Ask, began: float, ticket: Ticket | None = None, extra: dict[str, Any] | None = None
) -> Stream:
    """Store the message and event 0, then generate the answer in a task of its own; the stream to follow.

    `began` is when the request arrived (monotonic, s); `extra` is passed on to Gemini untouched. Raises an ApiError,
    and stores and starts nothing, where the request cannot be used. The same `request_id` from the same user joins the
    stream that it started first.
    """
    _, model = providers.find(ask.model)
    check_generation(ask.generation)
    system = system_of(ask.system)
    contents = None if ask.contents is None and ask.parent_id else contents_of(ask.contents)
    if contents is not None:
        contents = await photos.store_inline(user, _checked(contents, model))
    if _draining:  # nothing is waited for between here and the task that `drain` waits for
        raise Unavailable("This server is going down; the next one takes over in a moment.", retry_after=1)
    opening = Opening(user, ask, contents, model, began, ticket)
    if opening.is_plain and (opened := eventlog.write_at_once(opening.store)) is not None:
        return _begun(opening, opened, system, extra or {})
    # A task of its own: once the message may be stored, no reader's going away keeps its answer from being begun.
    task = asyncio.get_running_loop().create_task(_begin(opening, system, extra or {}), context=contextvars.Context())
    _beginnings.add(task)
    task.add_done_callback(_beginnings.discard)
    return await asyncio.shield(task)


async def _begin(opening: Opening, system: str, extra: dict[str, Any]) -> Stream:
    try:
        opened = await eventlog.write(opening.store)
    except IntegrityError:  # another worker stored the same request_id a moment before
        opened = await eventlog.write(opening.store)
    return _begun(opening, opened, system, extra)


def _begun(opening: Opening, opened: Opened, system: str, extra: dict[str, Any]) -> Stream:
    """Start the turn that was stored, unless an earlier request has."""
    if opened.fresh:
        instruction = prompt.instruction(opened.system, system, language=opening.ask.language)
        generation, asker = opening.ask.generation, opening.user.pk
        asked = prompt.Prompt(opening.model, opened.contents, instruction, generation, extra, asker)
        _run(Turn(opened, asked, opening.began))
    return opened.stream


def _run(turn: Turn) -> None:
    _turns[turn.stream_id] = turn
    metrics.started()
    turn.spawn().add_done_callback(lambda _: _turns.pop(turn.stream_id, None))


def _checked(contents: list[prompt.Content], model: prompt.Model) -> list[prompt.Content]:
    if text_bytes(contents) > (most := limits.of("PROMPT_BYTES")):
        raise TooLarge(f"The message is longer than {most:,} bytes.")
    has_photo = any("text" not in part for content in contents for part in content["parts"])
    if has_photo and not providers.takes_photos(model):
        raise InvalidArgument(providers.refusal_of_photos(model))
    return contents


async def stop(stream: Stream) -> str:
    """Stop the stream's generation, wherever it runs; idempotent. Returns the stream's status as far as known."""
    if turn := _turns.get(stream.pk):
        turn.cut_short(events.STOPPED)
        if turn.task is not None:
            await asyncio.wait([turn.task])
    elif stream.status == events.RUNNING:
        await eventlog.write(stream.request_stop)
        notifier.ask_to_stop(stream.pk)
    await stream.arefresh_from_db(fields=("status",))
    return stream.status


def stop_here(stream_id: UUID) -> None:
    """Stop the stream if it runs in this process: another worker's reader wants it."""
    if turn := _turns.get(stream_id):
        turn.cut_short(events.STOPPED)


def running() -> list[UUID]:
    """The streams that this process generates."""
    return list(_turns)


def is_draining() -> bool:
    """Whether this process takes no new turns."""
    return _draining


def reopen() -> None:
    """Take turns (again)."""
    global _draining
    _draining = False


async def drain(grace: float) -> None:
    """Take no new turns, let the running ones finish for `grace` seconds, then end the rest as interrupted."""
    global _draining
    _draining = True
    until = monotonic() + grace
    while tasks := [*_beginnings, *(turn.task for turn in _turns.values() if turn.task is not None)]:
        left = until - monotonic()
        if left <= 0:
            for turn in _turns.values():
                turn.cut_short(events.INTERRUPTED)
        await asyncio.wait(tasks, timeout=max(left, 0) or None, return_when=asyncio.FIRST_COMPLETED)
