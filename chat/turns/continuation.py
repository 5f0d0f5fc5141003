"""An answer that outlives its worker: another one takes the turn up, under the same stream id.

    Reaper finds a stream without a worker ── take_up ── its next epoch, and the event that says so, in one transaction
      └─ Turn ── the prompt, with the text so far as its last message ── the provider goes on from there

Where the provider cannot be given the beginning of its answer, or refuses it, the answer begins anew, and an event
says that what came before counts no more. Whose answers are continued at all is `WONDERCAM_CONTINUE`
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
from chat.log.takeover import MOST_HANDS, take_over
from chat.models import Message, Stream, User
from chat.protocol import events, prompt
from chat.protocol.answer import Answer
from chat.protocol.errors import ApiError
from chat.protocol.events import Chunk, Give, Response
from chat.protocol.prompt import Prompt, PromptMessage, attachments_of, history_of, path_to
from chat.protocol.request import system_of
from chat.providers.catalogue import Catalogue
from chat.turns.leases import WorkerName
from chat.turns.start import THROUGH_DOOR, Place
from chat.turns.turn import AnswerPrompt, Turn

log = logging.getLogger(__name__)

GOES_ON = "The server that wrote this answer went away. Another one has picked it up again."
ANEW = "The server that wrote this answer went away. Another one has picked it up again, from its beginning."


class TakenUp(NamedTuple):
    """A turn to be run: where it writes, what it asks for and of whom, and for whom."""

    place: Place
    prompt: Prompt
    ask_provider: AnswerPrompt
    user: User
    handed_over: bool


class Continuation:
    """Takes up the turns of dead workers for one process, as `worker`."""

    def __init__(self, event_log: Log, catalogue: Callable[[], Catalogue], worker: WorkerName) -> None:
        self._log = event_log
        self._catalogue = catalogue
        self._worker = worker

    async def take_up(self, stream_id: UUID, lease: datetime | None) -> TakenUp | None:
        """The turn, from now on this process's; None where it is not to be continued, or is another's by now."""
        try:
            catalogue = self._catalogue()
        except ApiError:
            return None
        asked = await in_thread(partial(asked_of, stream_id, catalogue))
        if asked is None:
            return None
        question, user = asked
        goes_on = catalogue.goes_on(question.model, photos=bool(attachments_of(question.contents)))
        say = partial(first_event, goes_on=goes_on)
        taken = await self._log.write(partial(take_over, stream_id, self._worker.name, lease, say))
        if taken is None:
            return None
        self._log.announce(stream_id, taken.last.seq)
        place = Place(stream_id, taken.epoch, taken.last, taken.answer, taken.first_token_us)
        going = ContinuedAnswer(catalogue, taken.answer, question)
        return TakenUp(place, going.prompt, going.answer, user, taken.handed_over)

    async def may_go_on_elsewhere(self, turn: Turn) -> bool:
        """Whether another process may take up a turn of this one's, as far as is known here."""
        if turn.tail.epoch >= FIRST_EPOCH + MOST_HANDS - 1:
            return False
        try:
            return await in_thread(partial(continued, turn.stream_id, self._catalogue())) is not None
        except Exception as error:  # the database may be away: then its end is not stored, and its lease lapses
            log.warning("stream %s cannot be handed over: %s", turn.stream_id, type(error).__name__)
            return False


def continued(stream_id: UUID, catalogue: Catalogue) -> Stream | None:
    """The stream, if its turn may be continued, as long as it is not too late."""
    stream = Stream.objects.select_related("user", "conversation", "answer").filter(pk=stream_id).first()
    if stream is None or not stream.user.is_active or stream.request.get(THROUGH_DOOR):
        return None
    return stream if catalogue.may_continue(stream.model_id) else None


def asked_of(stream_id: UUID, catalogue: Catalogue) -> tuple[Prompt, User] | None:
    """What a stream's turn asks for, read anew from what is stored, and whose it is; None where it is not continued."""
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


def first_event(answer: Answer, handed_over: bool, *, goes_on: bool) -> Response:
    """What is said of a turn that is taken up, by the answer as it is stored."""
    if answer.is_empty or (goes_on and answer.text()):
        return events.picked_up(GOES_ON, handed_over=handed_over)
    return events.picked_up(ANEW, anew=True, handed_over=handed_over)


class ContinuedAnswer:
    """Asks for the rest of an answer, and, where that is refused before anything came, for all of it once more."""

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
        """Give the chunks of the rest, or, after one that says so, those of a new answer."""
        if not asked.goes_on:
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
            log.info("%s does not go on with an answer (%s): it begins anew", asked.model.id, error.status)
        self._so_far.begin_anew()
        give(events.chunk(events.begun_anew()))
        anew = dataclasses.replace(asked, contents=asked.contents[:-1], generation=self._generation)
        await self._catalogue.answer(anew, give)


def rest_of(generation: dict[str, Any], text: str) -> dict[str, Any]:
    """The generation's settings with what the text has left of its greatest length, by a guess."""
    most = generation.get("maxOutputTokens")
    return {**generation, "maxOutputTokens": max(1, most - prompt.guess(text))} if isinstance(most, int) else generation
