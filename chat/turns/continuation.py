"""Continuation: takes over the turn of a dead or stopping worker, under the same stream id.

    Reaper finds a stream without a worker ── take_over ── its next epoch, and an event that says so, in one transaction
      └─ Turn ── the prompt, with the text so far as its last message ── the provider goes on from there

If the provider cannot continue an answer whose beginning it is given, or refuses to, the answer starts again, and an
event says that everything before does not count. `WONDERCAM_CONTINUE` says which providers' answers are continued
(`docs/decisions/0015-answers-outlive-their-worker.md`).
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from chat import limits
from chat.log import Log
from chat.log.fence import FIRST_EPOCH
from chat.log.sql import in_thread
from chat.log.takeover import MOST_WORKERS, take_over
from chat.models import Message, Stream, User
from chat.protocol import events, prompt
from chat.protocol.answer import Answer
from chat.protocol.errors import ApiError
from chat.protocol.events import Chunk, Give, Response
from chat.protocol.prompt import Prompt, PromptMessage, attachments_of, history_of, path_to
from chat.protocol.request import system_of
from chat.providers.catalogue import Catalogue
from chat.turns.leases import WorkerName
from chat.turns.start import THROUGH_DOOR, StartingPoint
from chat.turns.turn import AnswerPrompt, Turn

log = logging.getLogger(__name__)

GOES_ON = "The server that wrote this answer went away. Another one has picked it up again."
ANEW = "The server that wrote this answer went away. Another one has picked it up again, from its beginning."


class ContinuedTurn(NamedTuple):
    """A turn that was taken over, to be run: its position in the log, prompt, provider and user."""

    place: StartingPoint
    prompt: Prompt
    ask_provider: AnswerPrompt
    user: User
    handed_over: bool


class Continuation:
    """Takes turns over for one process, under the name `worker`."""

    def __init__(self, event_log: Log, catalogue: Callable[[], Catalogue], worker: WorkerName) -> None:
        self._log = event_log
        self._catalogue = catalogue
        self._worker = worker

    async def take_over(self, stream_id: UUID, lease: datetime | None) -> ContinuedTurn | None:
        """Take a turn over; None if it may not be continued, or if another process has taken it."""
        try:
            catalogue = self._catalogue()
        except ApiError:
            return None
        asked = await in_thread(partial(asked_of, stream_id, catalogue))
        if asked is None:
            return None
        question, user = asked
        can_continue = catalogue.can_continue(question.model, photos=bool(attachments_of(question.contents)))
        say = partial(first_event, can_continue=can_continue)
        taken = await self._log.write(partial(take_over, stream_id, self._worker.name, lease, say))
        if taken is None:
            return None
        self._log.announce(stream_id, taken.last.seq)
        place = StartingPoint(stream_id, taken.epoch, taken.last, taken.answer, taken.first_token_us)
        going = ContinuedAnswer(catalogue, taken.answer, question)
        return ContinuedTurn(place, going.prompt, going.answer, user, taken.handed_over)

    async def may_go_on_elsewhere(self, turn: Turn) -> bool:
        """Whether another process may take over this turn, as far as this process knows."""
        if turn.tail.epoch >= FIRST_EPOCH + MOST_WORKERS - 1:
            return False
        try:
            return await in_thread(partial(continued, turn.stream_id, self._catalogue())) is not None
        except Exception as error:  # the database may be away: then its end is not stored, and its lease lapses
            log.warning("stream %s cannot be handed over: %s", turn.stream_id, type(error).__name__)
            return False


def continued(stream_id: UUID, catalogue: Catalogue) -> Stream | None:
    """The stream, if its turn may be continued: not for a disabled user, a request through a door, or a provider that
    `WONDERCAM_CONTINUE` leaves out."""
    stream = Stream.objects.select_related("user", "conversation", "answer").filter(pk=stream_id).first()
    if stream is None or not stream.user.is_active or stream.request.get(THROUGH_DOOR):
        return None
    return stream if catalogue.may_continue(stream.model_id) else None


def asked_of(stream_id: UUID, catalogue: Catalogue) -> tuple[Prompt, User] | None:
    """The prompt of a stream, made again from what is stored, and its user; None if its turn may not be continued."""
    stream = continued(stream_id, catalogue)
    if stream is None or (timezone.now() - stream.created_at).total_seconds() > limits.of("STREAM_SECONDS"):
        return None
    rows = stream.conversation.messages.order_by("position").values_list("pk", "parent_id", "role", "parts")
    said = {row[0]: PromptMessage(*row) for row in rows}
    path = path_to(said, stream.answer.parent_id)
    if not path or path[-1].role != Message.USER:
        return None
    contents = history_of(path, limits.of("HISTORY_MESSAGES"), limits.of("HISTORY_BYTES"))
    request = stream.request
    own, language = system_of(request.get("systemInstruction")), request.get("language") or ""
    system = prompt.instruction(stream.conversation.system, own, language=language)
    _, model = catalogue.find(stream.model_id)
    generation = request.get("generationConfig", {})
    return Prompt(model, contents, system, generation, asker=stream.user_id, language=language), stream.user


def first_event(answer: Answer, handed_over: bool, *, can_continue: bool) -> Response:
    """The event that announces a takeover, chosen by the answer so far."""
    if answer.is_empty or (can_continue and answer.text()):
        return events.picked_up(GOES_ON, handed_over=handed_over)
    return events.picked_up(ANEW, anew=True, handed_over=handed_over)


class ContinuedAnswer:
    """Asks for the rest of an answer, or, if that is refused before any content, for the whole answer again."""

    def __init__(self, catalogue: Catalogue, so_far: Answer, question: Prompt) -> None:
        self._catalogue = catalogue
        self._so_far = so_far
        self._generation = question.generation
        self.prompt = question
        if text := so_far.text():
            begun = {"role": "model", "parts": [{"text": text}]}
            rest = rest_of(question.generation, text)
            self.prompt = dataclasses.replace(question, contents=[*question.contents, begun], generation=rest)

    async def answer(self, asked: Prompt, give: Give) -> None:
        """Pass on the chunks of the rest, or, after one that says so, those of a new answer."""
        if not asked.is_continuation:
            return await self._catalogue.answer(asked, give)
        has_begun = False

        def given(chunk: Chunk) -> "asyncio.Future[None] | None":
            nonlocal has_begun
            has_begun = has_begun or bool(chunk.parts)
            return give(chunk)

        try:
            return await self._catalogue.answer(asked, given)
        except ApiError as error:
            if has_begun:
                raise
            log.info("%s does not continue an answer (%s): it starts again", asked.model.id, error.status)
        self._so_far.begin_anew()
        give(events.chunk(events.begun_anew()))
        anew = dataclasses.replace(asked, contents=asked.contents[:-1], generation=self._generation)
        await self._catalogue.answer(anew, give)


def rest_of(generation: dict[str, Any], text: str) -> dict[str, Any]:
    """The `generationConfig` with `maxOutputTokens` reduced by the estimated tokens of the text."""
    most = generation.get("maxOutputTokens")
    return {**generation, "maxOutputTokens": max(1, most - prompt.guess(text))} if isinstance(most, int) else generation
