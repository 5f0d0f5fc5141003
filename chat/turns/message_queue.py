"""Queued messages: sent while an answer of their conversation runs, stored, and started exactly once after it.

    add ───────────────── a row that waits for the running stream
    edit, remove ──────── a row that still waits
    put_first ─────────── "now instead": the row is started once nothing runs; the caller stops what does
    NextMessage.store ─── deletes the row; stores the message, its answer's stream and event 0 (`next_message.py`)

Each is one transaction that locks the conversation's row, and so does every start of a turn in an existing
conversation. The rows alone decide whether a message is to be started, not the state of a process: it is the first of
its queue, nothing runs in the conversation, and either the stream that it waits for is complete or it has `now` set. A
stop, a failure or an interruption makes no row startable, so the queue stays until its user sends a message. The
process whose turn has ended checks at once, and every process once a second (`waiting`), so any of them may die:

    when a process dies                          the database has                what follows
    before `add` is committed                    nothing                         the client sends the message again
    before the client gets its response          the row, with its `request_id`  sent again, it is found: row or stream
    while the answer runs                        a running stream                it is taken over, or interrupted
    after the answer's end                       a complete stream, the row      the next check starts it, anywhere
    during `NextMessage.store`                   the same: it is rolled back     the same
    after its commit, before its turn begins     a dead worker's running stream  it is taken over, or interrupted
    its commit is stored, not confirmed          the stream, no row              the retried job finds its own stream
    after `put_first`, before the stop           the row with `now`              it is started after any end
    after the stop                               the row with `now`              the next check starts it
"""

from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from chat import limits
from chat.log import Log
from chat.log.changes import QUEUE, tell_of_conversation
from chat.models import Conversation, Message, QueuedMessage, Stream, User
from chat.protocol import events, ids
from chat.protocol.errors import NotFound, ResourceExhausted
from chat.protocol.prompt import Part, text_of
from chat.turns import media

WAITING, HELD, STARTED = "waiting", "held", "started"
REFUSED, GONE = "refused", "gone"

FULL_RETRY_SECONDS = 10

WAITING_MESSAGES = f"""
SELECT q.conversation_id, q.waits_for, (q.now OR s.status = '{events.COMPLETE}') AND NOT EXISTS (
    SELECT 1 FROM chat_stream r WHERE r.conversation_id = q.conversation_id AND r.status = '{events.RUNNING}'
)
FROM chat_queuedmessage q JOIN chat_conversation c ON c.id = q.conversation_id
JOIN chat_user u ON u.id = c.user_id AND u.is_active LEFT JOIN chat_stream s ON s.id = q.waits_for
WHERE q.refusal = '' AND (q.now OR s.status IN ('{events.COMPLETE}', '{events.RUNNING}')) AND NOT EXISTS (
    SELECT 1 FROM chat_queuedmessage b WHERE b.conversation_id = q.conversation_id AND b.position < q.position
)
"""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A checked message to be queued. `request` has the form of a stream's `request`, with the message's contents."""

    user: User
    conversation_id: UUID
    request: dict[str, Any]
    request_id: str | None = None
    id: UUID = field(default_factory=ids.new)


def add(new: NewMessage) -> tuple[UUID, UUID | None]:
    """Store the message; returns its id, and the running stream that it waits for, if any.

    If a message with the same `request_id` was stored before, its id is returned. If nothing runs and nothing else
    waits, the message is started next. NotFound for a foreign conversation or photo, ResourceExhausted if the queue is
    full.
    """
    conversation = _held(new.user.pk, new.conversation_id)
    if (before := _added_before(new)) is not None:
        return before, None
    queue = list(conversation.queued.all())
    if len(queue) >= (most := limits.of("QUEUED_MESSAGES")):
        raise ResourceExhausted(
            f"{most} messages wait in this conversation already: remove one, or wait until the next one is sent.",
            retry_after=FULL_RETRY_SECONDS,
        )
    contents = media.claim(new.user.pk, conversation.pk, new.request["contents"])
    running = _running(conversation.pk).order_by("-created_at").values_list("pk", flat=True).first()
    if running is not None:  # the whole queue waits for it
        conversation.queued.update(waits_for=running, refusal="")
    QueuedMessage.objects.create(
        id=new.id,
        conversation=conversation,
        position=queue[-1].position + 1 if queue else 0,
        request={**new.request, "contents": contents},
        request_id=new.request_id,
        claims=asdict(new.user.claims) if new.user.claims else None,
        waits_for=queue[-1].waits_for if queue and running is None else running,
        now=not queue and running is None,
    )
    _tell(conversation.pk)
    return new.id, running


def _added_before(new: NewMessage) -> UUID | None:
    """The id stored by an earlier attempt, or by an earlier request with the same key; it may be started by now."""
    named = Q(request_id=new.request_id) if new.request_id else Q(pk=None)
    row = QueuedMessage.objects.filter(Q(pk=new.id) | named, conversation=new.conversation_id).first()
    if row is not None:
        return row.pk
    if Message.objects.filter(pk=new.id).exists():
        return new.id
    if new.request_id is None:
        return None
    streams = Stream.objects.for_user(new.user.pk).filter(request_id=new.request_id)
    return streams.values_list("answer__parent_id", flat=True).first()


def edit(user_id: int, conversation_id: UUID, message_id: UUID, parts: list[Part], model_id: str) -> None:
    """Replace the parts and the model of a waiting message. NotFound for a foreign photo."""
    row = _waiting(_held(user_id, conversation_id), message_id)
    before = row.request["contents"]
    contents = media.claim(user_id, conversation_id, [{"role": Message.USER, "parts": parts}])
    row.request = {**row.request, "contents": contents, "model": model_id}
    row.save(update_fields=("request",))
    media.discard(user_id, before)
    _tell(conversation_id)


def remove(user_id: int, conversation_id: UUID, message_id: UUID) -> None:
    """Delete a waiting message, with its photos."""
    row = _waiting(_held(user_id, conversation_id), message_id)
    row.delete()
    media.discard(user_id, row.request["contents"])
    _tell(conversation_id)


def put_first(user_id: int, conversation_id: UUID, message_id: UUID) -> list[Stream]:
    """Have a message started as soon as nothing runs in its conversation; returns the running streams."""
    conversation = _held(user_id, conversation_id)
    row = _waiting(conversation, message_id)
    first = conversation.queued.values_list("position", flat=True)[0]
    row.position = first if row.position == first else first - 1
    row.now, row.refusal = True, ""
    row.save(update_fields=("position", "now", "refusal"))
    _tell(conversation_id)
    return list(_running(conversation_id))


def first_to_send(conversation_id: UUID) -> QueuedMessage | None:
    """The first message of a conversation, with its user, if it is to be started now. Locks the conversation."""
    active = Conversation.objects.filter(pk=conversation_id, user__is_active=True).select_related("user")
    conversation: Conversation | None = active.select_for_update(no_key=True, of=("self",)).first()
    row = None if conversation is None else conversation.queued.first()
    if row is None or conversation is None or row.refusal or _running(conversation_id).exists():
        return None
    row.conversation = conversation
    is_time = row.now or _status(row.waits_for) == events.COMPLETE
    return row if is_time else None


def hold(message_id: UUID, refusal: str) -> None:
    """Store why a message could not be started: it now waits for its user."""
    row = QueuedMessage.objects.filter(pk=message_id).first()
    if row is not None:
        QueuedMessage.objects.filter(pk=message_id).update(refusal=refusal, now=False)
        _tell(row.conversation_id)


async def waiting(event_log: Log) -> list[tuple[UUID, UUID | None, bool]]:
    """The conversations whose first message can still be started without its user: each with the stream that it waits
    for, and whether it can be started now."""
    rows = await event_log.fetch_briefly(WAITING_MESSAGES, ())
    return [(_id(conversation), stream and _id(stream), bool(ready)) for conversation, stream, ready in rows]


def _id(key: Any) -> UUID:
    return key if isinstance(key, UUID) else UUID(key)


def queue_of(conversation: Conversation) -> dict[str, Any]:
    """The queue of a conversation, `{"messages", "held"}`; `held` says why it waits for its user, or is None."""
    rows = list(conversation.queued.all())
    held = _why_held(rows[0]) if rows else None
    state = HELD if held else WAITING
    return {"messages": [shown(row.pk, row.request, state, row.created_at) for row in rows], "held": held}


def _why_held(first: QueuedMessage) -> dict[str, str] | None:
    if first.refusal:
        return {"because": REFUSED, "message": first.refusal}
    if first.now:
        return None
    status = _status(first.waits_for)
    return None if status in (events.RUNNING, events.COMPLETE) else {"because": status or GONE, "message": ""}


def message_of(conversation: Conversation, message_id: UUID) -> dict[str, Any]:
    """One message as the API shows it, waiting or started. NotFound for other ids."""
    for found in queue_of(conversation)["messages"]:
        if found["id"] == message_id:
            return dict(found)
    stream = Stream.objects.filter(conversation=conversation, answer__parent=message_id).order_by("created_at").first()
    if stream is None:
        raise NotFound(NOT_WAITING)
    return {**shown(message_id, stream.request, STARTED, stream.created_at), "stream": stream.pk}


def shown(id: UUID, request: dict[str, Any], state: str, at: Any) -> dict[str, Any]:
    """The API's representation of a message."""
    content = request["contents"][-1]
    said = {"parts": content["parts"], "text": text_of(content), "model": request["model"]}
    return {"id": id, **said, "state": state, "stream": None, "created_at": at}


NOT_WAITING = "There is no such message in this conversation's queue: it may have been sent, or removed, already."


def _held(user_id: int, conversation_id: UUID) -> Conversation:
    """The user's conversation, locked until the transaction ends. SQLite has one writer at a time anyway."""
    own = Conversation.objects.select_for_update(no_key=True).for_user(user_id).filter(pk=conversation_id)
    conversation = own.first()
    if not isinstance(conversation, Conversation):
        raise NotFound("There is no such conversation.")
    return conversation


def _waiting(conversation: Conversation, message_id: UUID) -> QueuedMessage:
    row = conversation.queued.filter(pk=message_id).first()
    if row is None:
        raise NotFound(NOT_WAITING)
    return row


def _running(conversation_id: UUID) -> QuerySet[Stream]:
    return Stream.objects.filter(conversation=conversation_id, status=events.RUNNING)


def _status(stream_id: UUID | None) -> str:
    """The status of a stream; "" if it does not exist (any more)."""
    found = Stream.objects.filter(pk=stream_id) if stream_id else Stream.objects.none()
    return found.values_list("status", flat=True).first() or ""


def _tell(conversation_id: UUID) -> None:
    """Add a line to the user's feed: the queue has changed. It has only the length; readers fetch the queue itself."""
    count = QueuedMessage.objects.filter(conversation=conversation_id).count()
    tell_of_conversation(conversation_id, QUEUE, {"count": count})
