"""The commands over recorded streams: list, export, import and prune."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from chat.models import Attachment, Conversation, Message, Stream, User
from chat.models import Event as StoredEvent
from chat.protocol import events, recording
from chat.protocol.answer import Answer
from chat.protocol.errors import Interrupted
from chat.protocol.events import Event
from tests.recorded import FAILED, HELLO, LONG, begun, imported, read, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def running():
    """A stream that is being generated."""
    return begun()


# import_stream, export_stream


@pytest.mark.parametrize("path", [HELLO, LONG, FAILED], ids=lambda path: path.stem)
def test_a_recording_comes_back_byte_for_byte_through_the_database(path, tmp_path):
    made = imported(path)
    run("export_stream", made.pk, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == path.read_bytes()
    assert run("export_stream", made.pk) == path.read_text(encoding="utf-8")


def test_an_imported_stream_is_an_ended_turn_of_the_chosen_user():
    ana = User.objects.create(username="ana")
    made = imported(LONG, "--user", "ana")
    assert (made.user, made.conversation.user, made.status, made.last_seq) == (ana, ana, events.COMPLETE, 280)
    assert made.answer.text == events.answer_text(read(LONG).events)
    assert made.answer.parent.text.startswith("Why is the sky blue?")
    assert (made.first_token_us, made.usage["candidatesTokenCount"]) == (418_000, 279)


def test_a_failed_stream_stays_a_failed_one():
    made = imported(FAILED)
    assert (made.status, made.error["code"]) == (events.FAILED, 503)


def test_what_nobody_asked_for_belongs_to_an_account_that_cannot_sign_in():
    owner = imported(HELLO).user
    assert (owner.username, owner.is_active, owner.has_usable_password()) == ("recordings", False, False)


def test_an_id_is_never_stored_over():
    imported(HELLO)
    with pytest.raises(CommandError, match=r"there is a stream 0b0f2c1e.* already"):
        run("import_stream", HELLO)
    assert (Stream.objects.count(), Conversation.objects.count()) == (1, 1)


def test_a_cut_recording_is_not_stored_at_all(tmp_path):
    (tmp_path / "cut.jsonl").write_bytes(HELLO.read_bytes()[:-40])
    with pytest.raises(CommandError, match=r"Nothing was imported\. Line 18: .*16 events"):
        run("import_stream", tmp_path / "cut.jsonl")
    assert not Stream.objects.exists()
    assert not Message.objects.exists()


def test_a_recording_with_no_more_than_events_is_told_its_end_by_its_last_one(tmp_path):
    path = tmp_path / "bare.jsonl"
    log = [Event(0, 5, events.OK_DATA), Event(1, 9, events.encode(events.failure(Interrupted("Gone."), "interrupted")))]
    path.write_text("".join(recording.dump({}, log)))
    run("import_stream", path)
    made = Stream.objects.get()
    assert (made.status, made.error["status"], made.model_id) == (events.INTERRUPTED, "ABORTED", "recording/unknown")


def test_a_strangers_photo_is_not_taken_over_with_a_recording(tmp_path):
    stranger = User.objects.create(username="stranger")
    photo = Attachment.objects.create(user=stranger, mime_type="image/png", width=1, height=1, data=b"x")
    file = read(HELLO)
    file.header["question"] = [{"attachment": str(photo.pk)}, {"text": "What is it?"}]
    (tmp_path / "photo.jsonl").write_text("".join(recording.dump(file.header, file.events)))
    parts = imported(tmp_path / "photo.jsonl").answer.parent.parts
    assert parts == [{"text": "[a photo that did not come with the recording]"}, {"text": "What is it?"}]


def test_an_export_overwrites_no_file(tmp_path):
    made = imported(HELLO)
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(CommandError, match="exists already, and is not overwritten"):
        run("export_stream", made.pk, tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "mine"


def test_a_running_stream_is_not_exported(running):
    with pytest.raises(CommandError, match="is still running"):
        run("export_stream", running.pk)


# list_streams


def test_streams_are_listed_with_their_times():
    imported(HELLO)
    imported(LONG)
    listed = json.loads(run("list_streams", "--json"))
    by_id = {row["id"]: row for row in listed}
    long = by_id[read(LONG).header["id"]]
    assert (long["user"], long["model"], long["status"]) == ("recordings", "gemini/gemini-2.5-flash", "complete")
    assert (long["ok_ms"], long["first_token_ms"], long["tokens_per_s"], long["longest_gap_ms"]) == (
        0.6, 418.0, 50.4, 1613.0,
    )  # fmt: skip


def test_the_table_says_the_same_for_people():
    imported(LONG)
    heads, row = run("list_streams").splitlines()
    for head in ("id", "user", "model", "status", "OK", "first token", "tokens/s", "longest gap"):
        assert head in heads
    assert row.split("  ")[0] == read(LONG).header["id"]
    for cell in ("recordings", "gemini/gemini-2.5-flash", "complete", "418 ms", "50.4", "1.61 s"):
        assert cell in row


def test_listing_asks_the_database_the_same_few_questions_for_one_stream_and_for_many(django_assert_num_queries):
    for path in (HELLO, LONG, FAILED):
        imported(path)
    with django_assert_num_queries(2):
        run("list_streams")


def test_a_running_stream_is_measured_so_far(running):
    (row,) = json.loads(run("list_streams", "--json"))
    assert (row["status"], row["ok_ms"], row["first_token_ms"]) == ("running", 0.5, 9.0)


@pytest.mark.parametrize(
    ("arguments", "stems"),
    [
        (["--status", "failed"], {"failed"}),
        (["--user", "ana"], {"hello"}),
        (["--since", "2h"], {"hello"}),
        (["--since", "2025-06-01"], {"hello", "failed"}),
        (["--since", "2025-06-01T10:00:00+01:00", "--status", "complete"], {"hello"}),
        (["--limit", "1"], {"hello"}),
        (["--since", "2100-01-01"], set()),
    ],
)
def test_a_list_is_narrowed(arguments, stems):
    User.objects.create(username="ana")
    hello = imported(HELLO, "--user", "ana")
    imported(FAILED)
    Stream.objects.filter(pk=hello.pk).update(created_at=timezone.now())
    names = {read(path).header["id"]: path.stem for path in (HELLO, FAILED)}
    assert {names[row["id"]] for row in json.loads(run("list_streams", "--json", *arguments))} == stems


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--user", "nobody"], "There is no user 'nobody'."),
        (["--since", "yesterday"], "write a date such as 2025-06-01"),
        (["--since", "999999w"], "too far in the past"),
        (["--limit", "0"], "a whole number from 1"),
        (["--status", "odd"], "invalid choice: 'odd'"),
    ],
)
def test_a_wrong_argument_of_a_list_gets_a_sentence(arguments, sentence):
    with pytest.raises(CommandError) as wrong:
        run("list_streams", *arguments)
    assert sentence in str(wrong.value)


def test_no_name_can_speak_to_the_terminal():
    User.objects.create(username="red\x1b[31m")
    imported(HELLO, "--user", "red\x1b[31m")
    assert "\x1b" not in run("list_streams")


def test_nothing_to_list_is_said():
    assert run("list_streams") == "There are no such streams.\n"


# prune_streams


def test_old_recordings_go_and_the_conversation_keeps_its_text(running):
    old = imported(LONG)
    text = old.answer.text
    fresh = imported(HELLO)
    Stream.objects.filter(pk=fresh.pk).update(ended_at=timezone.now() - timedelta(days=2))
    assert "1 stream that ended before" in run("prune_streams", "--older-than", "30d")
    assert set(Stream.objects.values_list("pk", flat=True)) == {fresh.pk, running.pk}
    assert not StoredEvent.objects.filter(stream_id=old.pk).exists()
    assert Message.objects.get(pk=old.answer_id).text == text


def test_an_answer_that_was_never_put_together_is_before_its_events_go():
    old = imported(LONG)
    Message.objects.filter(pk=old.answer_id).update(parts=[])
    run("prune_streams", "--older-than", "1d")
    assert Message.objects.get(pk=old.answer_id).parts == Answer.of(read(LONG).events).finished()


def test_a_dry_run_deletes_nothing():
    imported(HELLO)
    assert "would be deleted" in run("prune_streams", "--older-than", "1d", "--dry-run")
    assert Stream.objects.exists()


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1y", ""])
def test_an_age_that_is_none_gets_a_sentence(age):
    with pytest.raises(CommandError, match=r"is not an age: write a number|expected one argument"):
        run("prune_streams", "--older-than", age)
