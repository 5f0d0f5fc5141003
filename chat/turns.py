"""One turn: prompt → provider → log → wake-up. The only file that knows both the provider and the log.

    start ── Opening.store (message + event 0, one transaction) ── the reader has its OK
      └─ Turn.run, a task of its own: providers.answer → Tail.append → commit → live.announce

A turn belongs to no request: a reader may go and come back, only `stop` stops it. It ends in exactly one of
complete, stopped, failed and interrupted, and that end is an event in the log like any other.
"""

import asyncio
import base64
import contextvars
import logging
from time import monotonic
from typing import Any
from uuid import UUID

from django.utils import timezone

from chat import answer, eventlog, events, leases, limits, live, metrics, prompt, providers
from chat.ask import Ask, contents_of, generation_of, system_of, text_bytes
from chat.attachments import from_inline
from chat.errors import ApiError, DeadlineExceeded, Internal, Interrupted, InvalidArgument, TooLarge, Unavailable
from chat.events import Response
from chat.models import Attachment, Stream, Ticket, User
from chat.opening import Opened, Opening
from chat.writer import Ending, LeaseLost

log = logging.getLogger(__name__)

eventlog.on_commit = live.announce


class Turn:
    """The generation of one answer, from its prompt to its last event."""

    def __init__(self, opened: Opened, asked: prompt.Prompt, began: float) -> None:
        self.stream_id: UUID = opened.stream.pk
        self.prompt = asked
        self.began = began
        self.tail = eventlog.open_tail(self.stream_id, opened.ok)
        self.answer = answer.Answer()
        self.first_token_us: int | None = None
        self._held: Response | None = None
        self._finish_reason: str | None = None
        self._cut_short: str | None = None
        self._ending = False
        self.task: asyncio.Task[None] | None = None

    def spawn(self) -> None:
        """Start it in a context of its own, so that no request's end can reach it (asgiref ties hops to contexts)."""
        loop = asyncio.get_running_loop()
        self.task = loop.create_task(self.run(), name=f"turn {self.stream_id}", context=contextvars.Context())

    def cut_short(self, status: str) -> None:
        """Stop the provider at once and end as `status`; without effect once the end is on its way."""
        if self._ending or self._cut_short or self.task is None:
            return
        self._cut_short = status
        self.task.cancel()

    async def run(self) -> None:
        """Generate, then write the end; nothing is raised but a cancellation that nobody asked this turn for."""
        try:
            error = await self._generate()
            self._ending = True
            await self._write_end(error)
        except LeaseLost:
            log.warning("stream %s was ended by another worker", self.stream_id)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("stream %s could not be written to its end", self.stream_id)
        finally:
            eventlog.abandon(self.tail)
            live.wake(self.stream_id)

    async def _generate(self) -> ApiError | None:
        """Run the provider into the log; the error that it ended with."""
        try:
            async with asyncio.timeout(limits.of("STREAM_SECONDS")):
                await self._read_provider()
        except asyncio.CancelledError:
            if self._cut_short is None:
                raise
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
        except TimeoutError:
            return DeadlineExceeded("The answer took longer than this server allows; what came so far is kept.")
        except LeaseLost:
            raise
        except ApiError as error:
            return error
        except Exception:
            log.exception("stream %s: the provider failed in a way that it should not", self.stream_id)
            return Internal("The answer failed in a way that is this server's fault. Try again.")
        return None

    async def _read_provider(self) -> None:
        responses = providers.answer(self.prompt)
        try:
            async for response in responses:
                self._take(response)
                if self.tail.pending >= eventlog.MAX_PENDING:
                    await self.tail.settled(eventlog.MAX_PENDING // 2)
        finally:
            await responses.aclose()

    def _take(self, response: Response) -> None:
        """Append a response, holding back the one that may turn out to be the last: the end is stored with it."""
        self.answer.add(response)
        if self.answer.size > limits.of("OUTPUT_BYTES"):
            raise TooLarge("The answer grew longer than this server allows; what came so far is kept.")
        if self.first_token_us is None and events.parts_of(response):
            self.first_token_us = self._at()
        held, self._held = self._held, None
        if held is not None:
            self._append(held)
        if reason := events.finish_reason(response):
            self._finish_reason = reason
        if self._finish_reason is None:
            self._append(response)
        else:
            self._held = response

    def _append(self, response: Response) -> None:
        self.tail.append(self._at(), events.encode(response))

    def _at(self) -> int:
        return int((monotonic() - self.began) * 1e6)

    async def _write_end(self, error: ApiError | None) -> None:
        status, last, failure = self._last(error)
        ending = Ending(status, self.answer.finished(), timezone.now(), failure, self.answer.usage, self.first_token_us)
        self.tail.append(self._at(), events.encode(last), ending)
        metrics.ended(status)
        await self.tail.settled()

    def _last(self, error: ApiError | None) -> tuple[str, Response, dict[str, Any] | None]:
        """The end's status, the last event, and the error to store with the stream."""
        if error is None and self._held is not None and self._cut_short is None:
            return events.COMPLETE, self._completed(self._held), None
        if self._held is not None:
            self._append(self._held)
        if self._cut_short == events.STOPPED:
            return events.STOPPED, events.stopped(self.answer.usage), None
        if self._cut_short == events.INTERRUPTED:
            error = Interrupted("The server is going down and could not finish this answer. Try again.")
            return events.INTERRUPTED, events.failure(error, events.INTERRUPTED), error.as_json()["error"]
        error = error or Internal("The answer ended without an end.")
        return events.FAILED, events.failure(error), error.as_json()["error"]

    def _completed(self, last: Response) -> Response:
        """The last event carries `finishReason` and `usageMetadata`, wherever the provider put them."""
        if events.finish_reason(last) is None:
            first = (last.get("candidates") or [{}])[0]
            last = {**last, "candidates": [{**first, "finishReason": self._finish_reason}]}
        return {**last, "usageMetadata": self.answer.usage or {}}


_turns: dict[UUID, Turn] = {}
_draining = False


async def start(user: User, ask: Ask, began: float, ticket: Ticket | None = None) -> Stream:
    """Store the message and event 0, then generate the answer in a task of its own; the stream to follow.

    `began` is when the request arrived (monotonic, s). Raises an ApiError, and stores and starts nothing, where the
    request cannot be used. The same `request_id` from the same user joins the stream that it started first.
    """
    if _draining:
        raise Unavailable("This server is going down; the next one takes over in a moment.", retry_after=1)
    _, model = providers.find(ask.model)
    generation, system = generation_of(ask.generation), system_of(ask.system)
    contents = None if ask.contents is None and ask.parent_id is not None else contents_of(ask.contents)
    if contents is not None:
        contents = await _store_photos(user, _checked(contents, model))
    opened = await eventlog.write(Opening(user, ask, contents, model, began, ticket).store)
    if opened.fresh:
        instruction = prompt.instruction(opened.system, system, language=ask.language)
        asked = prompt.Prompt(model, opened.contents, instruction, generation)
        _spawn(Turn(opened, await _load_photos(asked), began))
    return opened.stream


def _spawn(turn: Turn) -> None:
    _turns[turn.stream_id] = turn
    metrics.started()
    turn.spawn()
    assert turn.task is not None
    turn.task.add_done_callback(lambda _: _turns.pop(turn.stream_id, None))
    if _draining:
        turn.cut_short(events.INTERRUPTED)


def _checked(contents: list[prompt.Content], model: prompt.Model) -> list[prompt.Content]:
    if text_bytes(contents) > (most := limits.of("PROMPT_BYTES")):
        raise TooLarge(f"The message is longer than {most:,} bytes.")
    has_photo = any("text" not in part for content in contents for part in content["parts"])
    if has_photo and (refusal := providers.refusal_of_photos(model)):
        raise InvalidArgument(refusal)
    return contents


async def _store_photos(user: User, contents: list[prompt.Content]) -> list[prompt.Content]:
    """Photos in the body become stored ones, spoken of by id."""
    for content in contents:
        for part in content["parts"]:
            if inline := part.pop("inlineData", None):
                photo = await from_inline(user, inline["mimeType"], inline["data"])
                part["attachment"] = str(photo.pk)
    return contents


async def _load_photos(asked: prompt.Prompt) -> prompt.Prompt:
    """Stored photos become parts that carry them."""
    ids = prompt.photos_of(asked.contents)
    if not ids:
        return asked
    photos: dict[str, prompt.Part] = {}
    async for photo in Attachment.objects.filter(pk__in=ids):
        data = base64.b64encode(photo.data).decode()
        photos[str(photo.pk)] = {"inlineData": {"mimeType": photo.mime_type, "data": data}}
    return prompt.Prompt(asked.model, prompt.with_photos(asked.contents, photos), asked.system, asked.generation)


async def stop(stream: Stream) -> str:
    """Stop the stream's generation, wherever it runs; idempotent. Returns the stream's status as far as known."""
    if turn := _turns.get(stream.pk):
        turn.cut_short(events.STOPPED)
        if turn.task is not None:
            await asyncio.wait([turn.task])
    elif stream.status == events.RUNNING:
        await eventlog.write(lambda: _request_stop(stream.pk))
        live.ask_to_stop(stream.pk)
    await stream.arefresh_from_db(fields=("status",))
    return stream.status


def _request_stop(stream_id: UUID) -> None:
    Stream.objects.filter(pk=stream_id, status=events.RUNNING).update(stop_requested_at=timezone.now())


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
    if tasks := [turn.task for turn in _turns.values() if turn.task is not None]:
        await asyncio.wait(tasks, timeout=grace)
    for turn in list(_turns.values()):
        turn.cut_short(events.INTERRUPTED)
    if tasks := [turn.task for turn in _turns.values() if turn.task is not None]:
        await asyncio.wait(tasks)
