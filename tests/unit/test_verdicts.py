"""Verdicts: queues, locks, filing, history and exports."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.models import AuditEntry, Feedback, Receipt, ReviewLock, Stream, User, Verdict
from chat.protocol import events, receipt
from chat.verdicts import agreement, queue, scores
from tests.unit.test_admin import answer, ask

pytestmark = pytest.mark.django_db
QUEUE = "admin:chat_verdict_changelist"


def reviewer(name: str = "rea") -> User:
    """A member of staff in the group of reviewers."""
    user = User.objects.create(username=name, is_staff=True)
    user.groups.add(Group.objects.get(name="Reviewers"))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def made(**changes: Any) -> Stream:
    """An answer in a conversation of its own."""
    owner, _ = User.objects.get_or_create(username="ana")
    stream: Stream = answer(ask(owner.conversations.create(title="Clouds"))).stream
    for name, value in changes.items():
        setattr(stream, name, value)
    stream.save()
    return stream


def session(stream: Stream, kind: str = "new") -> str:
    """The address of an answer's page."""
    return reverse("admin:chat_verdict_session", args=[stream.pk]) + f"?kind={kind}"


def filed(stream: Stream, by: User, **said: Any) -> Verdict:
    return Verdict.file(stream, by, **({"score": 4, "rubric": {}, "tags": [], "note": "", "flagged": False} | said))


# The queue


def test_each_kind_names_its_answers() -> None:
    rea, other = reviewer(), reviewer("otto")
    plain, failed, cut = made(), made(status=events.FAILED), made(status=events.INTERRUPTED)
    slow, running = made(first_token_us=queue.SLOW_US), made(status=events.RUNNING)
    disliked, held, flagged = made(), made(), made()
    Feedback.objects.create(message=disliked.answer, value=Feedback.DOWN)
    Feedback.objects.create(message=plain.answer, value=Feedback.UP)
    Receipt.objects.create(stream=held, verdict=receipt.PROXY, count=1, offset_us=0, error_us=0, packed=b"")
    filed(flagged, other, flagged=True)
    waiting = {kind: set(queue.waiting(kind, rea)) for kind in queue.KINDS}

    assert waiting.pop("new") == {plain, failed, cut, slow, disliked, held}
    assert waiting == {
        "failed": {failed},
        "interrupted": {cut},
        "slow": {slow},
        "disliked": {disliked},
        "buffered": {held},
        "flagged": {flagged},
    }
    assert running not in queue.waiting("new", rea)


def test_an_answer_leaves_the_queue_of_whoever_judged_it_and_of_nobody_else() -> None:
    rea, other = reviewer(), reviewer("otto")
    failed = made(status=events.FAILED)
    filed(failed, rea)
    assert not queue.waiting("failed", rea)
    assert list(queue.waiting("failed", other)) == [failed]


def test_an_answer_that_is_being_reviewed_is_in_nobody_elses_queue_until_the_lock_expires() -> None:
    rea, other = reviewer(), reviewer("otto")
    stream = made()
    assert ReviewLock.take(stream.pk, rea) is None
    assert not queue.waiting("new", other)
    held_by = ReviewLock.take(stream.pk, other)
    assert held_by is not None
    assert held_by.reviewer == rea

    ReviewLock.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert list(queue.waiting("new", other)) == [stream]
    assert ReviewLock.take(stream.pk, other) is None
    assert ReviewLock.objects.get().reviewer == other


def test_the_queue_is_turned_over_from_new_to_old_and_back() -> None:
    rea = reviewer()
    old, middle, new = made(), made(), made()
    waiting = queue.waiting("new", rea)
    assert list(waiting) == [new, middle, old]
    assert (queue.after(waiting, middle), queue.before(waiting, middle)) == (old, new)
    assert (queue.after(waiting, old), queue.before(waiting, new)) == (None, None)


def test_what_is_older_than_is_looked_through_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LOOKED_THROUGH", 2)
    streams = [made(status=events.FAILED) for _ in range(5)]
    assert set(queue.waiting("failed", reviewer())) == set(streams[-3:])


# Who may


def test_the_group_of_reviewers_may_read_and_judge_and_nothing_else() -> None:
    rights = Permission.objects.filter(group__name="Reviewers").values_list("codename", flat=True)
    verdicts = {"view_verdict", "add_verdict", "change_verdict"}
    assert set(rights) == {"view_conversation", "view_stream", "read_texts", *verdicts}


def test_whoever_may_not_read_sessions_sees_no_session() -> None:
    staff = User.objects.create(username="cai", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_verdict"))
    client, stream = signed_in(staff), made()
    assert client.get(reverse(QUEUE)).status_code == 200
    assert client.get(session(stream)).status_code == 403
    staff.user_permissions.set(Permission.objects.filter(codename__in=("view_verdict", "view_stream")))
    assert signed_in(staff).get(session(stream)).status_code == 403


def test_whoever_may_only_look_files_nothing() -> None:
    staff = User.objects.create(username="cai", is_staff=True)
    rights = ("view_verdict", "view_stream", "view_conversation")
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client, stream = signed_in(staff), made()
    assert 'class="verdict"' not in client.get(session(stream)).content.decode()
    assert client.post(session(stream), {"score": "4"}).status_code == 403
    assert not Verdict.objects.exists()


def test_reading_a_session_leaves_an_audit_entry() -> None:
    rea, stream = reviewer(), made()
    signed_in(rea).get(session(stream))
    entry = AuditEntry.objects.get(action=AuditEntry.Action.READ)
    assert (entry.who, str(stream.pk) in entry.target) == (rea, True)


# The session's page


def test_a_session_shows_what_led_to_the_answer_and_no_other_branch() -> None:
    rea, stream = reviewer(), made()
    question = stream.answer.parent
    answer(question, "another version ")
    follow_up = answer(ask(stream.conversation, "And then?", parent=stream.answer), "The end. ").stream
    page = signed_in(rea).get(session(follow_up)).content.decode()
    assert [text in page for text in ("Why?", "Because.", "And then?", "The end.")] == [True] * 4
    assert "another version" not in page


def test_a_verdict_is_filed_and_the_next_answer_of_the_queue_opens() -> None:
    rea = reviewer()
    old, new = made(), made()
    said = {
        "score": "4",
        "correct": "yes",
        "safe": "no",
        "tags": "tone, tone , maths",
        "note": "=good",
        "flagged": "on",
    }
    client = signed_in(rea)
    client.get(session(new))
    response = client.post(session(new), said)
    assert response["Location"] == session(old)
    verdict = Verdict.objects.get(stream=new, reviewer=rea)
    assert (verdict.score, verdict.rubric, verdict.tags) == (4, {"correct": True, "safe": False}, ["tone", "maths"])
    assert (verdict.note, verdict.flagged) == ("=good", True)
    assert not ReviewLock.objects.filter(stream=new).exists()
    assert client.post(session(old), {"score": "1"})["Location"] == reverse(QUEUE) + "?kind=new"


def test_a_verdict_that_is_filed_again_keeps_what_it_was() -> None:
    rea, stream = reviewer(), made()
    client = signed_in(rea)
    client.post(session(stream), {"score": "2", "note": "first thought"})
    client.post(session(stream), {"score": "5", "note": "second thought"})
    assert Verdict.objects.get().score == 5
    page = client.get(session(stream)).content.decode()
    assert page.index("second thought") < page.index("first thought")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Give a score"),
        ({"score": "6"}, "Select a valid choice"),
        ({"tags": ",".join("abcdefghijklmnopqrstuvwxyz")}, "At most 20 tags"),
        ({"tags": "x" * 41}, "at most 40 characters"),
        ({"note": "x" * 4_001}, "at most 4000 characters"),
    ],
)
def test_what_is_no_verdict_is_said_on_the_page(said: dict[str, str], sentence: str) -> None:
    stream = made()
    response = signed_in(reviewer()).post(session(stream), said)
    assert sentence in response.content.decode()
    assert not Verdict.objects.exists()


def test_an_unknown_answer_is_a_404_and_an_unknown_kind_the_first() -> None:
    client = signed_in(reviewer())
    assert client.get(session(Stream(pk=made().conversation_id))).status_code == 404
    assert 'aria-current="page">new<' in client.get(reverse(QUEUE) + "?kind=odd").content.decode()


def test_nothing_of_a_stream_keeps_it_from_being_deleted() -> None:
    stream = made()
    filed(stream, reviewer())
    ReviewLock.take(stream.pk, reviewer("otto"))
    stream.delete()
    assert not Verdict.objects.exists()


# Agreement

CODERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def test_alpha_is_that_of_the_authors_own_example() -> None:
    units = [[score for score in unit if score is not None] for unit in zip(*CODERS, strict=True)]
    assert agreement.alpha(units) == pytest.approx(0.849, abs=0.0005)


def test_alpha_is_one_in_full_agreement_and_unknown_where_nothing_can_be_compared() -> None:
    assert agreement.alpha([[1, 1], [5, 5, 5], [3]]) == 1
    assert agreement.alpha([[1, 5], [5, 1]]) < 0
    assert agreement.alpha([]) is None
    assert agreement.alpha([[4], [2]]) is None
    assert agreement.alpha([[4, 4], [4, 4]]) is None


# Files


def test_scores_are_langfuses() -> None:
    rea, stream = reviewer(), made()
    filed(stream, rea, rubric={"correct": True, "safe": False}, tags=["tone"], note="Good.", flagged=True)
    response = signed_in(rea).get(reverse("admin:chat_verdict_scores"))
    lines = [json.loads(line) for line in response.content.decode().splitlines()]
    said = [(line["name"], line["dataType"], line["value"]) for line in lines]
    assert said == [
        ("score", "NUMERIC", 4),
        ("correct", "BOOLEAN", 1),
        ("safe", "BOOLEAN", 0),
        ("tag", "CATEGORICAL", "tone"),
        ("flagged", "BOOLEAN", 1),
    ]
    assert {line["traceId"] for line in lines} == {str(stream.pk)}
    assert len({line["id"] for line in lines}) == 5
    assert [line.get("comment") for line in lines] == ["Good.", None, None, None, None]


@pytest.mark.parametrize(
    "note", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "=HYPERLINK(\"http://x\")", "\n=1"]
)  # fmt: skip
def test_no_cell_of_the_table_is_a_formula(note: str) -> None:
    filed(made(), reviewer("=rea"), note=note, tags=["=tag"])
    [_, row] = csv.reader(io.StringIO("".join(scores.table(Verdict.objects.all()))))
    assert row[8] == f"'{note}"
    assert (row[1], row[7]) == ("'=rea", "'=tag")


def test_a_harmless_note_stays_as_it_is_in_the_table() -> None:
    filed(made(), reviewer(), note='He said "no", 1 = 1')
    [_, row] = csv.reader(io.StringIO("".join(scores.table(Verdict.objects.all()))))
    assert row[8] == 'He said "no", 1 = 1'
