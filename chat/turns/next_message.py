"""The start of a queued message: its row is deleted and its turn stored, in one transaction (`message_queue.py`)."""

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db import IntegrityError

from chat.accounts import tokens
from chat.accounts.claims import Claims
from chat.log import Log
from chat.log.changes import QUEUE, tell_of_conversation
from chat.models import Conversation, QueuedMessage, Stream, User
from chat.protocol.errors import ApiError, PermissionDenied
from chat.protocol.request import Ask, check_generation, contents_of, system_of
from chat.providers.catalogue import Catalogue
from chat.turns import media, message_queue
from chat.turns.leases import WorkerName
from chat.turns.message_queue import NewMessage
from chat.turns.start import Start, Started

T = TypeVar("T")

log = logging.getLogger(__name__)

SOON_SECONDS = 5
"""A refusal that ends within this time is not shown to the user: the next check tries again."""

SIGNED_OUT = "Whoever queued this message has signed out since: send it again."


class TakenMessage(NamedTuple):
    """A queued message whose start is stored: what its turn is made of."""

    start: Start
    started: Started
    system: str


class MessageQueues:
    """The queues of all conversations, in one process, which starts messages under the name `worker`."""

    def __init__(self, event_log: Log, catalogue: Callable[[], Catalogue], worker: WorkerName) -> None:
        self._log = event_log
        self._catalogue = catalogue
        self._worker = worker
        self._waited_for: dict[UUID, UUID] = {}

    async def add(self, user: User, conversation: Conversation, ask: Ask) -> UUID:
        """Queue a message behind the running answer; returns its id. Raises the errors of `Turns.start`, and
        ResourceExhausted if the queue is full."""
        catalogue = self._catalogue()
        _, model = catalogue.find(ask.model)
        check_generation(ask.generation, model)
        system_of(ask.system)
        contents = await media.kept(user, contents_of(ask.contents), model, catalogue)
        asked = {
            "contents": contents,
            "model": model.id,
            "language": ask.language,
            "generationConfig": ask.generation,
            "systemInstruction": ask.system,
        }
        request = {name: value for name, value in asked.items() if value}
        new = NewMessage(user, conversation.pk, request, ask.request_id)
        message_id, running = await self._written(user.pk, partial(message_queue.add, new))
        if running is not None:
            self._waited_for[running] = conversation.pk
        return message_id

    async def edit(self, user: User, conversation: Conversation, message_id: UUID, ask: Ask) -> None:
        """Replace the contents of a waiting message, and its model if one is named."""
        catalogue = self._catalogue()
        _, model = catalogue.find(ask.model)
        [content] = await media.kept(user, contents_of(ask.contents), model, catalogue)
        change = partial(message_queue.edit, user.pk, conversation.pk, message_id, content["parts"], model.id)
        await self._written(user.pk, change)

    async def remove(self, user: User, conversation: Conversation, message_id: UUID) -> None:
        """Delete a waiting message."""
        await self._written(user.pk, partial(message_queue.remove, user.pk, conversation.pk, message_id))

    async def put_first(self, user: User, conversation: Conversation, message_id: UUID) -> list[Stream]:
        """Have a message started as soon as nothing runs; returns the running streams, for the caller to stop."""
        return await self._written(user.pk, partial(message_queue.put_first, user.pk, conversation.pk, message_id))

    async def _written(self, user_id: int, job: Callable[[], T]) -> T:
        done = await self._log.write(job)
        self._log.feeds.changed(user_id)
        return done

    def conversation_behind(self, stream_id: UUID) -> UUID | None:
        """The conversation in which a message waits for this stream, as far as this process knows; asked once."""
        return self._waited_for.pop(stream_id, None)

    async def due(self) -> list[UUID]:
        """The conversations whose next message is to be started now, whichever process queued it. Also learns which
        conversations wait for running streams."""
        before = set(self._waited_for)
        found = await message_queue.waiting(self._log)
        meanwhile = {stream: behind for stream, behind in self._waited_for.items() if stream not in before}
        self._waited_for = {stream: behind for behind, stream, ready in found if stream and not ready} | meanwhile
        return [conversation for conversation, _, ready in found if ready]

    async def take(self, conversation_id: UUID) -> TakenMessage | None:
        """Store the start of the conversation's next message; None if none is to be started now.

        A message that is refused stays in the queue with the reason, unless the refusal ends within `SOON_SECONDS`.
        """
        next_message = NextMessage(conversation_id, self._catalogue(), self._worker.name)
        try:
            try:
                started = await self._log.write(next_message.store)
            except IntegrityError:  # another worker stored the same request_id a moment before
                started = await self._log.write(next_message.store)
        except ApiError as error:
            await self._refused(next_message, error)
            return None
        start = next_message.start
        if started is None or start is None:
            return None
        self._waited_for[started.stream.pk] = conversation_id  # the rest of the queue waits for it
        return TakenMessage(start, started, system_of(start.ask.system))

    async def _refused(self, next_message: "NextMessage", error: ApiError) -> None:
        row = next_message.row
        if row is None or (error.retry_after is not None and error.retry_after <= SOON_SECONDS):
            return
        log.info("queued message %s waits for its user: %s", row.pk, error.message)
        await self._written(row.conversation.user_id, partial(message_queue.hold, row.pk, error.message))


class NextMessage:
    """The first message of a conversation's queue. `store` is a job of `Log.write`."""

    def __init__(self, conversation_id: UUID, catalogue: Catalogue, worker: str) -> None:
        self._conversation_id = conversation_id
        self._catalogue = catalogue
        self._worker = worker
        self.row: QueuedMessage | None = None
        self.start: Start | None = None

    def store(self) -> Started | None:
        """Delete the row, and store the message, its answer's stream and event 0. The rest of the queue waits for it.

        None if no message is to be started now. Raises the errors of `Start.store`, and then keeps the row.
        """
        if self.start is not None and (before := self.start.stored_before()) is not None:
            return before
        self.row = row = message_queue.first_to_send(self._conversation_id)
        if row is None:
            return None
        self.start = self._start_of(row)
        QueuedMessage.objects.filter(pk=row.pk).delete()
        started = self.start.store()
        left = QueuedMessage.objects.filter(conversation=self._conversation_id)
        tell_of_conversation(self._conversation_id, QUEUE, {"count": left.count()})
        left.update(waits_for=started.stream.pk, now=False, refusal="")
        return started

    def _start_of(self, row: QueuedMessage) -> Start:
        """The turn's start, from the row's present contents."""
        user, request = row.conversation.user, row.request
        if row.claims is not None:
            user.claims = Claims(**row.claims)
            if tokens.ended({user.claims}):
                raise PermissionDenied(SIGNED_OUT)
        _, model = self._catalogue.find(request["model"])
        ask = Ask(
            conversation_id=row.conversation_id,
            model=model.id,
            language=request.get("language"),
            generation=request.get("generationConfig", {}),
            system=request.get("systemInstruction"),
            request_id=row.request_id,
        )
        contents = media.checked(request["contents"], model, self._catalogue)
        return Start(user, ask, contents, model, monotonic(), self._worker, message_id=row.pk)
