"""The start of a turn: the message, its empty answer, the stream and event 0, in one transaction.

`Start.store` is a job of the log; plain ones are committed by the event loop. Once it is committed the reader gets its
OK, and the message is safe whatever happens to this process.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from msgspec import UNSET

from chat import limits
from chat.log.changes import MESSAGE, STARTED, ChangeRow, id_of, tell_of_streams
from chat.log.fence import FIRST_EPOCH, insert_events
from chat.log.sql import (
    CONVERSATIONS,
    DJANGO,
    MESSAGES,
    STREAMS,
    Database,
    NotOnTheLoop,
    document,
    insert,
    key_of,
    moment,
)
from chat.models import Conversation, Message, Stream, Ticket, User, known
from chat.protocol import events, ids
from chat.protocol.answer import Answer
from chat.protocol.errors import InvalidArgument, NotFound
from chat.protocol.events import Event
from chat.protocol.prompt import (
    Content,
    Model,
    PromptMessage,
    attachments_of,
    history_of,
    newest_leaf,
    path_to,
)
from chat.protocol.request import Ask
from chat.turns import media
from chat.turns.first_title import first_title

THROUGH_DOOR = "door"
"""The field of a stored request that is set if it came by the Gemini or OpenAI API."""
RESPONSE = "response"
"""The field of a stored request of OpenAI's Responses API: what its response repeats of the request."""
SAME_REQUEST = f"SELECT id FROM {Stream._meta.db_table} WHERE user_id = %s AND request_id = %s"


class Door(NamedTuple):
    """What a request of the Gemini or OpenAI API has beside its `Ask`: the `extra` fields, which the provider gets
    unchanged, and what its response repeats of the request, for the Responses API."""

    extra: dict[str, Any]
    response: dict[str, Any] | None = None


@dataclass(slots=True)
class Started:
    """A stored turn: its stream, event 0 (`ok`), and the contents and system instruction of its prompt.

    `fresh` is False if an earlier request with the same `request_id` has started the turn.
    """

    stream: Stream
    ok: Event
    contents: list[Content] = field(default_factory=list)
    system: str = ""
    fresh: bool = True

    @property
    def place(self) -> "StartingPoint":
        """The position at which its turn begins to write."""
        return StartingPoint(self.stream.pk, FIRST_EPOCH, self.ok, Answer())


class StartingPoint(NamedTuple):
    """The position at which a turn begins to write: its stream, the `epoch` it writes under, the stream's last event,
    and the answer as far as it is stored."""

    stream_id: UUID
    epoch: int
    last: Event
    answer: Answer
    first_token_us: int | None = None


@dataclass(slots=True)
class Start:
    """A turn to be stored. `contents` name photos and sounds by id; None generates another answer to `ask.parent_id`.

    `began` is when the request arrived, in seconds of the monotonic clock: time 0 of the stream. `worker` is the name
    of the process that will write the stream. A client of another API (`door`) cannot resume, so its answer is not
    continued when the worker dies. `message_id` is the id for the newest message, if it has one already.
    """

    user: User
    ask: Ask
    contents: list[Content] | None
    model: Model
    began: float
    worker: str
    ticket: Ticket | None = None
    door: Door | None = None
    message_id: UUID | None = None
    _stored: Started | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it starts a new conversation without attachments or a ticket: few statements, and no query whose
        result decides what to store. Such a start may be committed by the event loop."""
        new = self.ask.conversation_id is None and not self.ask.parent_id and self.ticket is None
        return new and not attachments_of(self.contents or [])

    def store(self, database: Database = DJANGO) -> Started:
        """Store the turn. NotFound for a foreign or unknown id; ResourceExhausted over the limit of streams.

        Only a plain start may be given another database than Django's.
        """
        if (before := self.stored_before() or self._joined(database)) is not None:
            return before
        limits.check_streams(self.user.id, database, is_guest=self.user.is_guest)
        limits.spend_question(self.user.id, database, is_guest=self.user.is_guest)
        now = timezone.now()
        at, arrived = moment(now), moment(now - timedelta(seconds=monotonic() - self.began))
        conversation, system, said, position, title = self._conversation(database, at)
        leaf = self._parent(said)
        sent = media.claim(self.user.id, conversation, self.contents or [])
        messages = self._messages(leaf, sent)
        said |= {message.id: message for message in messages}
        question = messages[-1].id if messages else leaf
        answer = PromptMessage(ids.new(), question, Message.MODEL, [])
        insert(database.execute, MESSAGES, *_rows((*messages, answer), conversation, at, position))
        stream = ids.new()
        key = key_of(stream)
        insert(database.execute, STREAMS, self._row(key, conversation, answer.id, at, arrived, sent))
        ok = Event(0, int((monotonic() - self.began) * 1e6), events.OK_DATA)
        insert_events(database.execute, [(key, *ok, FIRST_EPOCH)])
        if self.ticket is not None:
            self.ticket.bind(stream)
        tell_of_streams(database.execute, at, list(_told(key, messages, question, answer, title)))
        path = path_to(said, question)
        contents = history_of(path, limits.of("HISTORY_MESSAGES"), limits.of("HISTORY_BYTES"))
        named = {"conversation_id": conversation, "answer_id": answer.id, "question_id": question}
        self._stored = Started(known(Stream, id=stream, status=events.RUNNING, **named), ok, contents, system)
        return self._stored

    def stored_before(self) -> Started | None:
        """What an earlier attempt has stored: it was committed, but the confirmation was lost."""
        if self._stored is None or not Stream.objects.filter(pk=self._stored.stream.pk).exists():
            return None
        return self._stored

    def _joined(self, database: Database) -> Started | None:
        before = (self.user.id, self.ask.request_id)
        if self.ask.request_id is None:
            return None
        if database is not DJANGO:
            database.verify(SAME_REQUEST, before, _is_first)
            return None
        if not database.query(SAME_REQUEST, before):
            return None
        stream = Stream.objects.filter(user_id=self.user.id, request_id=self.ask.request_id).with_question().first()
        if stream is None:
            return None
        if self.ticket is not None:
            self.ticket.bind(stream.pk)
        return Started(stream, Event(0, 0, events.OK_DATA), fresh=False)

    def _conversation(self, database: Database, at: Any) -> tuple[UUID, str, dict[Any, PromptMessage], int, str]:
        """The conversation's id, system instruction, messages by id, position of the next message, and title."""
        if self.ask.conversation_id is None:
            if self.ask.parent_id:
                raise InvalidArgument("`parent_id` needs the `conversation_id` that the message belongs to.")
            title = first_title(self.contents[-1], self.ask.language) if self.contents else ""
            new = ids.new()
            insert(database.execute, CONVERSATIONS, (key_of(new), self.user.id, title, False, "", at, at))
            return new, "", {}, 0, title
        conversation = Conversation.objects.for_user(self.user.id).filter(pk=self.ask.conversation_id).first()
        if conversation is None:
            raise NotFound("There is no such conversation.")
        conversation.save(update_fields=("updated_at",))
        ordered = conversation.messages.order_by("position")
        rows = list(ordered.values_list("pk", "parent_id", "role", "parts", "position"))
        said = {row[0]: PromptMessage(*row[:4]) for row in rows}
        position = rows[-1][4] + 1 if rows else 0
        return conversation.pk, conversation.system, said, position, conversation.title

    def _parent(self, said: dict[Any, PromptMessage]) -> UUID | None:
        parent = self.ask.parent_id
        if parent is None:
            return None
        if parent is UNSET:
            own_history = self.contents is not None and len(self.contents) > 1
            return None if own_history or not said else newest_leaf(said)
        if parent not in said:
            raise NotFound("There is no such message in this conversation.")
        if self.contents is None and said[parent].role != Message.USER:
            raise InvalidArgument("Only a user's message can be answered again: `parent_id` names the model's.")
        return parent

    def _messages(self, leaf: UUID | None, contents: list[Content]) -> list[PromptMessage]:
        messages: list[PromptMessage] = []
        for number, content in enumerate(contents, 1):
            id = self.message_id if number == len(contents) and self.message_id else ids.new()
            messages.append(PromptMessage(id, leaf, content["role"], content["parts"]))
            leaf = id
        return messages

    def _row(
        self, stream: Any, conversation: UUID, answer: UUID, at: Any, arrived: Any, sent: list[Content]
    ) -> tuple[Any, ...]:
        return (
            stream,
            self.user.id,
            key_of(conversation),
            key_of(answer),
            self.model.provider,
            self.model.name,
            document(self._request(sent)),
            self.ask.request_id,
            events.RUNNING,
            self.worker,
            at,
            arrived,
            0,
            FIRST_EPOCH,
        )

    def _request(self, sent: list[Content]) -> dict[str, Any]:
        """The request as it can be sent again: photos by id, the model by name, no `request_id`."""
        asked = {
            "contents": sent,
            "model": self.model.id,
            "language": self.ask.language,
            "generationConfig": self.ask.generation,
            "systemInstruction": self.ask.system,
            THROUGH_DOOR: self.door is not None,
            RESPONSE: self.door and self.door.response,
        }
        return {name: value for name, value in asked.items() if value}


def _is_first(found: list[Any]) -> None:
    if found:
        raise NotOnTheLoop


def _told(
    stream: Any, messages: Iterable[PromptMessage], question: Any, answer: PromptMessage, title: str
) -> Iterator[ChangeRow]:
    """The lines of the user's feed for a turn that begins."""
    for said in messages:
        yield ChangeRow(stream, MESSAGE, {"message": str(said.id), "role": said.role})
    begun = {"stream": id_of(stream), "question": str(question), "message": str(answer.id), "title": title}
    yield ChangeRow(stream, STARTED, begun)


def _rows(messages: Iterable[PromptMessage], conversation: UUID, at: Any, position: int) -> Iterator[tuple[Any, ...]]:
    """The rows of new messages; `position` orders them independently of any clock."""
    key = key_of(conversation)
    for place, said in enumerate(messages, position):
        parent = None if said.parent_id is None else key_of(said.parent_id)
        yield key_of(said.id), key, parent, said.role, document(said.parts), at, place
