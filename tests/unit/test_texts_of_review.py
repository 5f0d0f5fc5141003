"""Access to texts in the admin, which need a permission of their own."""

import json
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.urls import reverse

from chat.admin.pairs import pair_url
from chat.models import Attachment, AuditEntry, Conversation, Feedback, Message, Stream, User, Verdict
from chat.protocol import events
from chat.verdicts.pairs import Pair
from tests.unit.test_admin import answer, ask, staff

pytestmark = pytest.mark.django_db
SECRET = "Zebra-crossing"
SWITCH = "/admin/chat/conversation/texts/"
LOOK = ("view_conversation", "view_stream", "view_verdict", "add_verdict", "change_verdict")


@pytest.fixture
def stream() -> Stream:
    """An answer with the secret in everything that people, models and upstreams write."""
    owner = User.objects.create(username="ana")
    talk = Conversation.objects.create(user=owner, title=SECRET, system=SECRET)
    question = ask(talk, SECRET)
    photo = Attachment.objects.create(
        user=owner, conversation=talk, mime_type="image/png", width=2, height=2, data=SECRET.encode()
    )
    question.parts += [{"attachment": str(photo.pk)}, {"functionCall": {"name": SECRET}}]
    question.save()
    failure = {"code": 503, "status": "UNAVAILABLE", "message": SECRET}
    message = answer(question, SECRET, status=events.FAILED, error=failure)
    message.parts = [{"text": SECRET, "thought": True}, *message.parts]
    message.save()
    found: Stream = message.stream
    last = found.last_seq
    for seq, response in enumerate(
        [{"error": failure}, events.notice(events.FALLBACK, SECRET), {"promptFeedback": {"said": SECRET}}], last + 1
    ):
        found.events.create(seq=seq, at=10**6 + seq, data=events.encode(response))
    Feedback.objects.create(message=message, value=Feedback.DOWN, reason=SECRET)
    rea = User.objects.create(username="rea")
    Verdict.file(found, rea, score=2, rubric={}, tags=[], note=SECRET, flagged=False)
    pair = Pair.of(found, answer(question, "Hence.").stream)
    pair.file(rea, "left", SECRET)
    return found


def pages(stream: Stream) -> list[str]:
    """All addresses of the review that show something of it."""
    chat = [reverse(f"admin:chat_{kind}_changelist") for kind in ("conversation", "stream", "verdict")]
    kinds = [f"{chat[2]}?kind={kind}" for kind in ("new", "failed", "disliked")]
    rows = (("conversation", stream.conversation_id), ("stream", stream.pk))
    changes = [reverse(f"admin:chat_{kind}_change", args=[pk]) for kind, pk in rows]
    return [*chat, *kinds, *changes, reverse("admin:chat_verdict_session", args=[stream.pk])]


FILES = [f"/admin/chat/{name}" for name in ("verdict/scores.jsonl", "verdict/verdicts.csv", "pairverdict/pairs.csv")]


def texts_only(stream: Stream) -> list[str]:
    """The addresses of what is nothing but text or picture."""
    photo = Attachment.objects.get()
    return [
        reverse("admin:chat_stream_recording", args=[stream.pk]),
        pair_url(stream, Stream.objects.exclude(pk=stream.pk).get()),
        reverse("admin:chat_conversation_photo", args=[stream.conversation_id, photo.pk]),
    ]


def without_permission(_: Any) -> Client:
    return staff(*LOOK)


def switched_off(_: Any) -> Client:
    client = staff(*LOOK, "read_texts")
    client.post(SWITCH, {"texts": "hide"})
    return client


def off_for_everybody(settings: Any) -> Client:
    settings.REVIEW_TEXTS = False
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


HIDING = [without_permission, switched_off, off_for_everybody]


@pytest.mark.slow
@pytest.mark.parametrize("hiding", HIDING)
def test_where_texts_are_hidden_no_page_of_the_review_holds_one(stream: Stream, hiding: Any, settings: Any) -> None:
    client = hiding(settings)
    for address in [*pages(stream), *FILES]:
        response = client.get(address)
        assert response.status_code == 200
        assert SECRET not in response.content.decode(), address
    for address in texts_only(stream):
        response = client.get(address)
        assert (response.status_code, SECRET in response.content.decode()) == (403, False)


@pytest.mark.slow
def test_with_it_each_of_them_does(stream: Stream) -> None:
    client = staff(*LOOK, "read_texts")
    shown = [address for address in pages(stream) if "kind=disliked" not in address]
    for address in [*shown, *FILES, *texts_only(stream)]:
        assert SECRET in client.get(address).content.decode(), address


def test_a_note_is_a_text_that_is_there_and_its_score_is_shown(stream: Stream) -> None:
    page = staff(*LOOK).get(pages(stream)[-1]).content.decode()
    assert "[note, 14 characters]" in page
    assert "rea</h3>" in page
    assert ": 2" in page


def test_a_note_outlives_a_verdict_that_is_filed_anew_without_seeing_it(stream: Stream) -> None:
    client = staff(*LOOK, "read_texts")
    client.post(pages(stream)[-1], {"score": "4", "note": "mine"})
    client.post(SWITCH, {"texts": "hide"})
    page = client.get(pages(stream)[-1]).content.decode()
    client.post(pages(stream)[-1], {"score": "3"})
    own = Verdict.objects.get(reviewer__is_staff=True)
    assert 'name="note"' not in page
    assert (own.score, own.note) == (3, "mine")
    assert [change.note for change in own.changes.all()] == ["mine", "mine"]


def test_times_structure_and_kinds_of_failure_are_shown_without_it(stream: Stream) -> None:
    client = staff(*LOOK)
    transcript = client.get(reverse("admin:chat_conversation_change", args=[stream.conversation_id])).content.decode()
    for said in ("[text, 14 characters]", "[thoughts, 14 characters]", "[text, 28 characters]", "[a photo]"):
        assert said in transcript
    assert "[another part]" in transcript
    assert "<dd>100 ms</dd>" in transcript
    assert "503 UNAVAILABLE" in transcript
    assert "thumbs down" in transcript
    log = client.get(reverse("admin:chat_stream_change", args=[stream.pk])).content.decode()
    assert log.count('<tr class="event-') == 7
    assert "14 characters" in log
    assert 'class="replay"' not in log


@pytest.mark.slow
@pytest.mark.parametrize("hiding", HIDING)
@pytest.mark.parametrize("kind", ["conversation", "stream"])
def test_nobody_finds_out_a_hidden_text_by_searching_or_filtering_for_it(
    stream: Stream, kind: str, hiding: Any, settings: Any
) -> None:
    address = reverse(f"admin:chat_{kind}_changelist")
    client, end = hiding(settings), str(stream.pk)[-12:] if kind == "stream" else str(stream.conversation_id)[-12:]
    assert end in client.get(address, {"q": "ana"}).content.decode()
    assert end in client.get(address, {"q": str(stream.conversation_id)}).content.decode()
    assert end not in client.get(address, {"q": SECRET}).content.decode()
    columns = {"conversation": ("title", "system"), "stream": ("request", "error", "request_id")}[kind]
    for column in columns:
        response = client.get(address, {f"{column}__icontains": SECRET[:1]})
        assert (response.status_code, end in response.content.decode()) == (400, False)
    assert client.get(address, {"user__password__startswith": "p"}).status_code in (302, 400)
    day = "updated_at" if kind == "conversation" else "created_at"
    assert end in client.get(address, {f"{day}__year": stream.created_at.year, "user": stream.user_id}).content.decode()


def test_ones_own_chat_is_shown_to_oneself(stream: Stream) -> None:
    client = staff(*LOOK)
    own = User.objects.get(is_staff=True)
    Stream.objects.update(user=own)
    Conversation.objects.update(user=own)
    for address in pages(stream)[-3:]:
        assert SECRET in client.get(address).content.decode()
    assert client.get(texts_only(stream)[0]).status_code == 200


def test_the_switch_hides_texts_until_it_is_switched_back(stream: Stream) -> None:
    client, address = staff(*LOOK, "read_texts"), pages(stream)[-3]
    assert "Hide texts" in client.get(address).content.decode()
    response = client.post(SWITCH, {"texts": "hide", "next": address}, follow=True)
    assert response.redirect_chain == [(address, 302)]
    assert "Show texts" in response.content.decode()
    assert SECRET not in response.content.decode()
    assert SECRET in client.post(SWITCH, {"texts": "show", "next": address}, follow=True).content.decode()


def test_the_switch_hides_ones_own_chat_too(stream: Stream) -> None:
    client = switched_off(None)
    Conversation.objects.update(user=User.objects.get(is_staff=True))
    assert SECRET not in client.get(pages(stream)[-3]).content.decode()


def test_the_switch_is_a_post_of_staff_that_leads_nowhere_else(stream: Stream) -> None:
    client = staff(*LOOK, "read_texts")
    assert client.get(SWITCH).status_code == 405
    assert client.post(SWITCH, {"texts": "hide", "next": "https://evil.example/"})["Location"] == "/admin/"
    assert client.post(SWITCH, {"texts": "hide", "next": "//evil.example/"})["Location"] == "/admin/"
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(User.objects.get(is_staff=True))
    assert guarded.post(SWITCH, {"texts": "hide"}).status_code == 403
    guest = Client().post(SWITCH, {"texts": "hide"})
    assert (guest.status_code, "/login/" in guest["Location"]) == (302, True)


def test_whoever_may_not_read_texts_is_offered_no_switch(stream: Stream) -> None:
    client = staff(*LOOK)
    for address in pages(stream):
        page = client.get(address).content.decode()
        assert "Other people's texts are hidden here." in page
        assert "Show texts" not in page


def test_the_audit_log_tells_a_look_at_times_from_a_read(stream: Stream) -> None:
    client, address = staff(*LOOK), reverse("admin:chat_stream_change", args=[stream.pk])
    client.get(address)
    user = User.objects.get(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="read_texts"))
    client.get(address)
    said = list(AuditEntry.objects.order_by("pk").values_list("target", flat=True))
    assert said == [f"stream {stream.pk} of ana, texts hidden", f"stream {stream.pk} of ana"]


def test_who_was_refused_a_recording_or_a_photo_has_not_read_it(stream: Stream) -> None:
    client = staff(*LOOK)
    for address in texts_only(stream):
        client.get(address)
    assert not AuditEntry.objects.exists()


def test_a_request_that_is_shown_is_the_one_that_was_sent(stream: Stream) -> None:
    client = staff(*LOOK, "read_texts")
    page = client.get(reverse("admin:chat_stream_change", args=[stream.pk])).context
    assert json.loads(page["request_sent"]) == stream.request
    assert Message.objects.count() == 3


def test_whoever_could_see_conversations_before_reads_them_after_the_migration() -> None:
    permission = Permission.objects.get(codename="read_texts")
    assert permission in Group.objects.get(name="Reviewers").permissions.all()
    permission.group_set.clear()
    clerks = Group.objects.create(name="Clerks")
    clerks.permissions.add(Permission.objects.get(codename="view_conversation"))
    counters = Group.objects.create(name="Counters")
    counters.permissions.add(Permission.objects.get(codename="view_stream"))
    user = User.objects.create(username="cai", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_conversation"))
    migration: Any = import_module("chat.migrations.0018_permission_to_read_texts")
    migration.give(apps, SimpleNamespace(connection=connection))
    assert set(permission.group_set.values_list("name", flat=True)) == {"Clerks", "Reviewers"}
    assert list(permission.user_set.all()) == [user]


# A reason for each chat


def test_where_a_reason_is_asked_for_nothing_is_read_without_one(stream: Stream, settings: Any) -> None:
    settings.REVIEW_REASON = True
    client = staff(*LOOK, "read_texts")
    for address in [*pages(stream)[:-1], *FILES]:
        assert SECRET not in client.get(address).content.decode(), address
    for address in texts_only(stream):
        assert client.get(address).status_code == 403


def test_a_reason_opens_one_chat_and_goes_into_the_audit_log(stream: Stream, settings: Any) -> None:
    settings.REVIEW_REASON = True
    client, address = staff(*LOOK, "read_texts"), reverse("admin:chat_stream_change", args=[stream.pk])
    other = answer(ask(Conversation.objects.create(user=stream.user), SECRET), SECRET).stream
    assert "Why do you read this chat?" in client.get(address).content.decode()
    given = {"texts": "reason", "conversation": str(stream.conversation_id), "next": address}
    assert SECRET not in client.post(SWITCH, {**given, "why": " "}, follow=True).content.decode()
    assert SECRET in client.post(SWITCH, {**given, "why": "complaint 17"}, follow=True).content.decode()
    assert SECRET not in client.get(reverse("admin:chat_stream_change", args=[other.pk])).content.decode()
    said = list(AuditEntry.objects.order_by("pk").values_list("target", "why"))
    assert said == [
        (f"stream {stream.pk} of ana, texts hidden", ""),
        (f"stream {stream.pk} of ana", "complaint 17"),
        (f"stream {other.pk} of ana, texts hidden", ""),
    ]


def test_an_answer_in_ones_queue_needs_no_other_reason(stream: Stream, settings: Any) -> None:
    settings.REVIEW_REASON = True
    client, session = staff(*LOOK, "read_texts"), reverse("admin:chat_verdict_session", args=[stream.pk])
    assert SECRET not in client.get(f"{session}?kind=slow").content.decode()
    assert SECRET in client.get(f"{session}?kind=failed").content.decode()
    assert AuditEntry.objects.get(why="queue: failed").target == f"stream {stream.pk} of ana"


def test_a_reason_gives_nobody_the_right_to_read(stream: Stream, settings: Any) -> None:
    settings.REVIEW_REASON = True
    client, address = staff(*LOOK), reverse("admin:chat_stream_change", args=[stream.pk])
    given = {"texts": "reason", "conversation": str(stream.conversation_id), "next": address, "why": "curious"}
    assert SECRET not in client.post(SWITCH, given, follow=True).content.decode()


def test_ones_own_chat_needs_no_reason(stream: Stream, settings: Any) -> None:
    settings.REVIEW_REASON = True
    client = staff(*LOOK)
    Stream.objects.update(user=User.objects.get(is_staff=True))
    assert SECRET in client.get(reverse("admin:chat_stream_change", args=[stream.pk])).content.decode()
