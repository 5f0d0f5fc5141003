"""Recordings in a page, a cast and a zip file: restored byte for byte, and harmless in each format."""

import io
import json
import re
import zipfile

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError
from PIL import Image

from chat import attachments
from chat.models import Attachment, Message, Stream, User
from chat.protocol import events, recording
from chat.protocol.events import Event
from tests.recorded import FAILED, HELLO, LONG, imported, run
from tests.sounds import wav

pytestmark = pytest.mark.django_db

HOSTILE = "</script><script>alert(1)</script><!--\u2028 & \x1b]52;c;AA==\x07 {{ title }} {% now %}"


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def hostile(tmp_path):
    """A stream whose title and words try to break out of whatever they stand in."""
    said = [events.OK_DATA, events.encode(events.delta(HOSTILE)), events.encode(events.finish("STOP"))]
    path = tmp_path / "hostile.jsonl"
    header = {"title": HOSTILE, "question": [{"text": HOSTILE}], "provider": "p", "model": "m"}
    path.write_text("".join(recording.dump(header, [Event(seq, seq, data) for seq, data in enumerate(said)])))
    run("import_stream", path)
    return Stream.objects.get()


@pytest.mark.parametrize("kind", ["--html", "--cast", "--zip"])
@pytest.mark.parametrize("path", [HELLO, LONG, FAILED], ids=lambda path: path.stem)
def test_it_comes_back_byte_for_byte(kind, path, tmp_path):
    made = imported(path)
    run("export_stream", made.pk, tmp_path / "first", kind)
    Stream.objects.all().delete()
    run("import_stream", tmp_path / "first")
    assert run("export_stream", made.pk) == path.read_text(encoding="utf-8")
    run("export_stream", made.pk, tmp_path / "second", kind)
    assert (tmp_path / "second").read_bytes() == (tmp_path / "first").read_bytes()
    assert (tmp_path / "first").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["--html", "--cast", "--zip"])
def test_each_of_them_can_be_replayed(kind, tmp_path):
    made = imported(HELLO)
    run("export_stream", made.pk, tmp_path / "file", kind)
    assert run("replay_stream", tmp_path / "file", "--speed", "0") == run("replay_stream", HELLO, "--speed", "0")


def test_nothing_recorded_is_markup_in_the_page(hostile):
    page = run("export_stream", hostile.pk, "--html")
    assert page.count("<script") == page.count("</script>") == 2
    assert "alert(1)</script>" not in page
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert not re.search(r"(src|href)=", page)


def test_a_cast_puts_nothing_on_the_screen_that_a_terminal_obeys(hostile):
    head, *lines = run("export_stream", hostile.pk, "--cast").rstrip().split("\n")
    assert json.loads(head)["version"] == 3
    shown = [json.loads(line) for line in lines if not line.startswith("#")]
    assert [code for _, code, _ in shown] == ["o"]
    assert "\\u001b]52" in shown[0][2]
    assert "\x1b" not in shown[0][2]


def test_a_casts_times_are_those_of_the_recording():
    made = imported(HELLO)
    lines = [line for line in run("export_stream", made.pk, "--cast").splitlines()[1:] if not line.startswith("#")]
    assert sum(json.loads(line)[0] for line in lines) == pytest.approx(
        made.events.order_by("seq")[15].at / 1e6, abs=0.1
    )


def test_photos_travel_in_a_zip_and_keep_their_bytes(tmp_path):
    ana = User.objects.create(username="ana")
    made = imported(HELLO, "--user", "ana")
    kept = {"user": ana, "conversation": made.conversation, "mime_type": "image/jpeg", "width": 8, "height": 6}
    photo = Attachment.objects.create(data=picture(), **kept)
    parts = [{"attachment": str(photo.pk)}, {"text": "What is it?"}]
    Message.objects.filter(pk=made.answer.parent_id).update(parts=parts)
    run("export_stream", made.pk, tmp_path / "first", "--zip")
    made.conversation.delete()
    run("import_stream", tmp_path / "first", "--user", "ana")
    again = Attachment.objects.get()
    assert (again.pk, bytes(again.data), again.width, again.user) == (photo.pk, picture(), 8, ana)
    assert Stream.objects.get().answer.parent.parts == parts
    run("export_stream", made.pk, tmp_path / "second", "--zip")
    assert (tmp_path / "second").read_bytes() == (tmp_path / "first").read_bytes()


def test_sounds_travel_in_a_zip_and_keep_their_bytes(tmp_path):
    ana = User.objects.create(username="ana")
    made = imported(HELLO, "--user", "ana")
    kept = async_to_sync(attachments.store)(ana, wav())
    Attachment.objects.update(conversation=made.conversation)
    Message.objects.filter(pk=made.answer.parent_id).update(parts=[kept.as_part()])
    run("export_stream", made.pk, tmp_path / "first", "--zip")
    assert f"sounds/{kept.pk}.wav" in zipfile.ZipFile(tmp_path / "first").namelist()
    made.conversation.delete()
    run("import_stream", tmp_path / "first", "--user", "ana")
    again = Attachment.objects.get()
    assert (again.pk, bytes(again.data), again.mime_type, again.seconds) == (kept.pk, kept.data, "audio/wav", 0.1)
    assert Stream.objects.get().answer.parent.parts == [kept.as_part()]
    run("export_stream", made.pk, tmp_path / "second", "--zip")
    assert (tmp_path / "second").read_bytes() == (tmp_path / "first").read_bytes()


@pytest.mark.parametrize("data", [wav(), wav()[:90], b"OggS"])
def test_a_sound_that_is_not_as_it_would_be_kept_is_lost(data, tmp_path):
    """The file of another program may hold more than the sound."""
    made = imported(HELLO)
    parts = [{"attachment": str(made.pk), "mimeType": "audio/wav"}]
    Message.objects.filter(pk=made.answer.parent_id).update(parts=parts)
    run("export_stream", made.pk, tmp_path / "plain.jsonl")
    with zipfile.ZipFile(tmp_path / "file", "w") as file:
        file.write(tmp_path / "plain.jsonl", "recording.jsonl")
        file.writestr(f"sounds/{made.pk}.wav", data)
    made.conversation.delete()
    run("import_stream", tmp_path / "file")
    assert not Attachment.objects.exists()
    assert Stream.objects.get().answer.parent.text == "[a sound that did not come with the recording]"


@pytest.mark.parametrize("data", [b"<svg onload=alert(1)>", b"GIF89a", picture()[:40]])
def test_what_is_no_photo_is_not_kept(data, tmp_path):
    made = imported(HELLO)
    Message.objects.filter(pk=made.answer.parent_id).update(parts=[{"attachment": str(made.pk)}])
    run("export_stream", made.pk, tmp_path / "plain.jsonl")
    with zipfile.ZipFile(tmp_path / "file", "w") as file:
        file.write(tmp_path / "plain.jsonl", "recording.jsonl")
        file.writestr(f"photos/{made.pk}.jpg", data)
        file.writestr("../../outside", b"x")
    made.conversation.delete()
    run("import_stream", tmp_path / "file")
    assert not Attachment.objects.exists()
    assert "did not come with the recording" in Stream.objects.get().answer.parent.text
    assert not (tmp_path.parent.parent / "outside").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 broken", "the zip file has no recording.jsonl"),
        (b"<!doctype html><p>Hello", "this page holds no recording"),
        (b'{"version": 3, "term": {}}\n[0.1, "o", "a"]\n', "the file is empty"),
    ],
)
def test_a_file_without_a_recording_gets_a_sentence(content, sentence, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        run("import_stream", tmp_path / "file")


def test_a_zip_needs_a_file():
    with pytest.raises(CommandError, match="Name a FILE"):
        run("export_stream", imported(HELLO).pk, "--zip")
