"""Deletion of conversations, of recordings and of accounts, in short transactions that no stream has to wait for.

    hide ── one transaction: the rows now belong to the user `HOLDER`, and their owner gets 404
    step ── transactions of about `STEP` seconds, with a `pause` between them, until nothing is left

A database with one writer makes every stream wait while rows are deleted: 200,000 events at once took 2.4 s. So a step
is bounded by time as well as by rows. What a crash left hidden is found by `hidden`, and deleted by the next process
that starts (`finish`) or by `prune_streams`. A step reads what is left to delete, so its transaction may be retried.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Any
from uuid import UUID

from chat.log.changes import DELETED, tell_of_conversation
from chat.log.sql import django_execute, in_thread, key_of
from chat.models import Attachment, Conversation, Event, Message, Stream, User

HOLDER = "(deleted)"
"""The user name of the owner of hidden rows. No form accepts brackets, and the account cannot sign in."""

STEP = 0.015
"""Seconds after which a step starts no further statement; with its commit it blocks other writers for 20 to 30 ms."""

PIECE = 200
"""Events that one statement deletes: about 2 ms."""

MESSAGES = 20
"""Messages that one statement deletes."""

STREAMS = 20
"""Streams without events that are deleted together: Django sends a dozen statements for one or for all of them."""

SHARE = 2.0
"""The length of a pause relative to its step: a writer that waits for a lock tries again within it."""

DELETE_SOME = """
DELETE FROM chat_event WHERE stream_id = %s
AND seq < (SELECT MIN(seq) FROM chat_event WHERE stream_id = %s) + %s
"""

Write = Callable[[Callable[[], Any]], Awaitable[Any]]
"""`Log.write`, or another function that runs a job in a transaction."""


class Rows:
    """Rows to delete: the given streams, or a conversation with everything in it."""

    def __init__(self, streams: Iterable[UUID] = (), conversation: UUID | None = None) -> None:
        self._ids = list(streams)
        self._conversation = conversation

    def hide(self) -> None:
        """Hand the rows over to `HOLDER`, in the caller's transaction. After it their owner can read none of them."""
        holder = _holder()
        self._streams().exclude(user=holder).update(user=holder, request_id=None)
        if self._conversation is not None:
            if Conversation.objects.filter(pk=self._conversation).exclude(user=holder).exists():
                tell_of_conversation(self._conversation, DELETED, {})
            Attachment.objects.filter(conversation=self._conversation).update(user=holder)
            Conversation.objects.filter(pk=self._conversation).update(user=holder)

    def step(self) -> bool:
        """Delete for `STEP` seconds, in the caller's transaction; returns whether rows are left."""
        until = monotonic() + STEP
        while self._piece():
            if monotonic() > until:
                return True
        return False

    def _streams(self) -> Any:
        if self._conversation is not None:
            return Stream.objects.filter(conversation=self._conversation)
        return Stream.objects.filter(pk__in=self._ids)

    def _piece(self) -> bool:
        """Delete the next rows, children before parents; False if none was left."""
        if some := list(self._streams().order_by().values_list("pk", flat=True)[:STREAMS]):
            filled = Event.objects.filter(stream__in=some).order_by().values_list("stream", flat=True)
            if found := list(filled[:1]):
                key = key_of(found[0])
                django_execute(DELETE_SOME, [key, key, PIECE])
            else:
                Stream.objects.filter(pk__in=some).delete()
            return True
        return self._conversation is not None and self._piece_of_conversation(self._conversation)

    @staticmethod
    def _piece_of_conversation(pk: UUID) -> bool:
        if photo := Attachment.objects.filter(conversation=pk).only("pk").first():
            photo.delete()
            return True
        if some := list(Message.objects.filter(conversation=pk).order_by().values_list("pk", flat=True)[:MESSAGES]):
            Message.objects.filter(parent__in=some).update(parent=None)  # else the cascade would delete the whole tree
            Message.objects.filter(pk__in=some).delete()
            return True
        return Conversation.objects.filter(pk=pk).delete()[0] > 0


def pause(took: float) -> float:
    """Seconds to wait after a step of `took` seconds."""
    return max(0.005, took * SHARE)


def hidden() -> list[Rows]:
    """The rows that earlier deletions have hidden and not deleted."""
    conversations = Conversation.objects.filter(user__username=HOLDER).values_list("pk", flat=True)
    streams = Stream.objects.filter(user__username=HOLDER).exclude(conversation__user__username=HOLDER)
    found = [Rows(conversation=pk) for pk in conversations]
    left = list(streams.values_list("pk", flat=True))
    return [*found, Rows(left)] if left else found


async def delete_conversation(pk: UUID, write: Write, on_hidden: Callable[[], None] = lambda: None) -> None:
    """Delete a conversation with its messages, streams, events and photos, and return when it is deleted.

    `on_hidden` is called once its rows are hidden. Deletion continues if the caller is cancelled.
    """
    await asyncio.shield(asyncio.get_running_loop().create_task(_delete(Rows(conversation=pk), write, on_hidden)))


async def delete_streams(ids: Iterable[UUID], write: Write) -> None:
    """Delete streams with their events and keep the messages. Continues if the caller is cancelled."""
    await asyncio.shield(asyncio.get_running_loop().create_task(_delete(Rows(ids), write)))


async def delete_account(user_id: int, write: Write, record: Callable[[], None]) -> None:
    """Delete an account with everything it owns, and return when it is deleted.

    The first transaction calls `record`, hides the rows and deletes the account: nobody can sign in to it any more.
    Continues if the caller is cancelled."""

    async def run() -> None:
        await write(lambda: _end_account(user_id, record))
        await finish(write)

    await asyncio.shield(asyncio.get_running_loop().create_task(run()))


def _end_account(user_id: int, record: Callable[[], None]) -> None:
    holder = _holder()
    record()
    Stream.objects.filter(user=user_id).update(user=holder, request_id=None)
    Attachment.objects.filter(user=user_id, conversation=None).delete()
    Attachment.objects.filter(user=user_id).update(user=holder)
    Conversation.objects.filter(user=user_id).update(user=holder)
    User.objects.filter(pk=user_id).delete()


async def finish(write: Write) -> None:
    """Delete the rows that an earlier process has hidden; run when a process starts."""
    for rows in await in_thread(hidden):
        await _delete(rows, write)


async def _delete(rows: Rows, write: Write, on_hidden: Callable[[], None] = lambda: None) -> None:
    await write(rows.hide)
    on_hidden()
    while True:
        began = monotonic()
        if not await write(rows.step):
            return
        await asyncio.sleep(pause(monotonic() - began))


def _holder() -> User:
    holder, is_new = User.objects.get_or_create(username=HOLDER, defaults={"is_active": False})
    if is_new:
        holder.set_unusable_password()
        holder.save(update_fields=["password"])
    return holder
