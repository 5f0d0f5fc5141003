"""Recordings of the tests' folder, and what commands make of them."""

import io
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from chat.models import Conversation, Message, Stream, User
from chat.protocol import events, recording, sse

ROOT = Path(__file__).resolve().parent.parent
HELLO, LONG, FAILED = (ROOT / "tests" / "recordings" / f"{name}.jsonl" for name in ("hello", "long", "failed"))


def run(name, *arguments, **options):
    """What the command writes to standard output."""
    out = io.StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=options.pop("stderr", io.StringIO()), **options)
    return out.getvalue()


def read(path):
    """A recording's file, read."""
    return recording.load(path.read_bytes().splitlines(keepends=True))


def imported(path, *arguments):
    """The stream that a recording's file becomes."""
    run("import_stream", path, *arguments)
    return Stream.objects.get(pk=read(path).header["id"])


def as_a_reader_got(path, after=-1, last=10**9, done=True):
    """The body that a reader of this recording's stream was sent."""
    file = read(path)
    played = [sse.encode(file.header["id"], event) for event in file.events if after < event.seq <= last]
    return (sse.PRELUDE + b"".join(played) + (sse.DONE if done else b"")).decode()


def begun():
    """A stream that is being generated, with its OK and one token in the log."""
    user = User.objects.create(username="ana")
    conversation = Conversation.objects.create(user=user, title="Now")
    answer = Message.objects.create(conversation=conversation, role=Message.MODEL)
    made = Stream.objects.create(
        user=user, conversation=conversation, answer=answer, provider="local", model="tiny", created_at=timezone.now()
    )
    made.events.create(seq=0, at=500, data=events.OK_DATA)
    made.events.create(seq=1, at=9_000, data=events.encode(events.delta("Once")))
    return made
