"""Deletion in steps: rows are hidden at once, deleted in short transactions, and resumed after an interruption."""

from itertools import count, pairwise

import pytest
from django.db import transaction

from chat.log import deletion
from chat.log.fence import FIRST_EPOCH, insert_events
from chat.log.sql import django_execute, key_of
from chat.models import Attachment, Conversation, Event, Message, Stream, Ticket, User
from chat.protocol import events
from tests.recorded import HELLO, LONG, begun, imported, run

pytestmark = pytest.mark.django_db

TABLES = (Conversation, Message, Stream, Event, Attachment, Ticket)


def long_conversation(length=6_000, messages=60):
    """A conversation of one stream with `length` events, a chain of messages and a photo."""
    stream = begun()
    rows = [(key_of(stream.pk), seq, 9_000 + seq, '{"candidates":[]}', FIRST_EPOCH) for seq in range(2, length)]
    insert_events(django_execute, rows)
    Stream.objects.filter(pk=stream.pk).update(status=events.COMPLETE, last_seq=length - 1, request_id="once")
    parent = stream.answer
    for _ in range(messages):
        parent = Message.objects.create(conversation=stream.conversation, parent=parent, role=Message.USER)
    Attachment.objects.create(
        user=stream.user, conversation=stream.conversation, mime_type="image/png", width=1, height=1, data=b"x"
    )
    Ticket.objects.create(digest="d", user=stream.user, stream=stream, expires_at=stream.created_at)
    return stream.conversation


class Clock:
    """Each look at it costs a quarter of a step."""

    def __init__(self):
        self._ticks = count()

    def __call__(self):
        return next(self._ticks) * deletion.STEP / 4


@pytest.fixture
def slow(monkeypatch):
    """A database in which four pieces take as long as a step may."""
    monkeypatch.setattr(deletion, "monotonic", Clock())


def steps(rows):
    """How many events were left after each step."""
    left = []
    while True:
        with transaction.atomic():
            more = rows.step()
        left.append(Event.objects.count())
        if not more:
            return left


def test_a_conversation_goes_with_all_that_is_in_it():
    kept, gone = imported(HELLO), long_conversation()
    before = {table: table.objects.count() for table in TABLES}
    rows = deletion.Rows(conversation=gone.pk)
    rows.hide()
    steps(rows)
    assert {table: table.objects.count() for table in TABLES} == {
        Conversation: 1, Message: 2, Stream: 1, Event: 17, Attachment: 0, Ticket: 0,
    }  # fmt: skip
    assert before[Event] == 6_017
    assert Stream.objects.get() == kept


def test_no_step_deletes_more_than_its_time_allows(slow):
    rows = deletion.Rows(conversation=long_conversation().pk)
    left = [6_000, *steps(rows)]
    assert max(before - after for before, after in pairwise(left)) <= 5 * deletion.PIECE
    assert len(left) > 6


def test_once_it_is_hidden_its_owner_finds_nothing_of_it_and_a_stranger_neither():
    gone = long_conversation()
    owner, stranger = gone.user, User.objects.create(username=deletion.HOLDER.strip("()"))
    deletion.Rows(conversation=gone.pk).hide()
    for user in (owner, stranger):
        for table in (Conversation, Stream, Attachment):
            assert not table.objects.for_user(user.pk).exists()
    assert not User.objects.get(username=deletion.HOLDER).is_active


def test_two_users_streams_of_one_request_id_can_be_hidden():
    first, second = imported(HELLO), long_conversation()
    Stream.objects.filter(pk=first.pk).update(request_id="once")
    deletion.Rows([first.pk]).hide()
    deletion.Rows(conversation=second.pk).hide()
    assert Stream.objects.filter(user__username=deletion.HOLDER, request_id=None).count() == 2


def test_a_step_whose_transaction_failed_is_done_again(slow):
    rows = deletion.Rows(conversation=long_conversation(2_000).pk)
    with transaction.atomic():
        assert rows.step()
        transaction.set_rollback(True)
    assert Event.objects.count() == 2_000
    assert steps(rows)[-1] == 0


def test_what_a_crash_left_hidden_is_deleted_by_the_next_prune(slow):
    conversation, recording, kept = long_conversation(), imported(LONG), imported(HELLO)
    Stream.objects.filter(pk=kept.pk).update(ended_at=None)
    for rows in (deletion.Rows(conversation=conversation.pk), deletion.Rows([recording.pk])):
        rows.hide()
        rows.step()
    run("prune_streams", "--older-than", "999d")
    assert list(Stream.objects.all()) == [kept]
    assert not Conversation.objects.filter(pk=conversation.pk).exists()
    assert Message.objects.filter(pk=recording.answer_id).exists()


def test_a_prune_hides_a_batch_then_deletes_it_step_by_step(slow, django_assert_max_num_queries):
    imported(LONG)
    with django_assert_max_num_queries(60):
        run("prune_streams", "--older-than", "1d")
    assert not Event.objects.exists()


def test_a_pause_is_longer_than_its_step():
    assert deletion.pause(0.02) == 0.04
    assert deletion.pause(0) > 0
