"""`replay_stream`: the bytes that clients received, at the recorded pace, from the database and a file."""

import asyncio
import io
import json
import os
import selectors
import subprocess
import sys
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from chat.log import Log
from chat.log.fence import Ending, insert_events, update_endings
from chat.log.sql import django_execute, key_of
from chat.management.commands.replay_stream import Player
from chat.protocol import events
from chat.protocol.events import Event
from tests.recorded import FAILED, HELLO, LONG, ROOT, as_a_reader_got, begun, imported, read, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def running():
    """A stream that is being generated."""
    return begun()


@pytest.mark.parametrize("path", [HELLO, LONG, FAILED], ids=lambda path: path.stem)
def test_sse_is_byte_for_byte_what_a_reader_got_from_the_database_and_from_a_file(path):
    made = imported(path)
    assert run("replay_stream", made.pk, "--speed", "0") == as_a_reader_got(path)
    assert run("replay_stream", path, "--speed", "0") == as_a_reader_got(path)


def test_text_is_the_text_in_the_database():
    made = imported(LONG)
    assert run("replay_stream", made.pk, "--speed", "0", "--format", "text") == made.answer.text


def test_json_is_one_event_a_line():
    lines = run("replay_stream", HELLO, "--speed", "0", "--format", "json").splitlines()
    expected = [{"seq": e.seq, "at": e.at, "data": events.decode(e.data)} for e in read(HELLO).events]
    assert [json.loads(line) for line in lines] == expected


@pytest.mark.parametrize("stored", [True, False])
def test_after_and_cut_give_the_middle_without_an_end(stored):
    source = imported(HELLO).pk if stored else HELLO
    played = run("replay_stream", source, "--speed", "0", "--after", "3", "--cut", "7")
    assert played == as_a_reader_got(HELLO, after=3, last=7, done=False)


def test_after_the_last_event_there_is_only_the_end():
    assert run("replay_stream", HELLO, "--speed", "0", "--after", "16") == "retry: 1000\ndata: [DONE]\n\n"


def test_a_failure_is_told_beside_the_text():
    errors = io.StringIO()
    text = run("replay_stream", FAILED, "--speed", "0", "--format", "text", stderr=errors)
    assert text == "Once upon a time there was a lighthouse that"
    assert "The stream failed: The model is not reachable at the moment." in errors.getvalue()


def test_the_good_part_of_a_corrupt_file_is_played_and_the_fault_is_told(tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_bytes(HELLO.read_bytes()[:-40])
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"Line 18: .*Good up to here: 16 events"):
        call_command("replay_stream", str(path), "--speed", "0", stdout=out)
    assert out.getvalue() == as_a_reader_got(HELLO, last=15, done=False)


@pytest.mark.slow
def test_from_a_shell_the_exit_status_is_1_and_standard_output_is_sse(tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_bytes(HELLO.read_bytes()[:-40])
    command = [sys.executable, "manage.py", "replay_stream", str(path), "--speed", "0"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=False)
    assert ended.returncode == 1
    assert ended.stdout == as_a_reader_got(HELLO, last=15, done=False).encode()
    assert b"Line 18: " in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "'nothing' is neither a stream's id nor a file"),
        ([str(uuid.UUID(int=1))], "There is no stream 00000000-0000-0000-0000-000000000001"),
        ([str(HELLO), "--speed", "-1"], "'-1' is not a speed: 1 is as recorded"),
        ([str(HELLO), "--speed", "nan"], "'nan' is not a speed"),
        ([str(HELLO), "--after", "x"], "'x' is not an event: events are numbered"),
        ([str(HELLO), "--cut", "-2"], "'-2' is not an event"),
        ([str(HELLO), "--after", "4", "--cut", "4"], "--cut 4 comes before what --after 4 leaves"),
        ([str(HELLO), "--format", "xml"], "invalid choice"),
    ],
)
def test_a_wrong_argument_of_a_replay_gets_a_sentence(arguments, sentence):
    with pytest.raises(CommandError) as wrong:
        call_command("replay_stream", *arguments)
    assert sentence in str(wrong.value)


class Skip(selectors.DefaultSelector):
    """Waits for nothing: the time that a loop would sleep is added up in `now`, in seconds."""

    now = 0.0

    def select(self, timeout=None):
        """What is ready now; without a timer the wait is a real one."""
        if timeout is None:
            return super().select()
        self.now += max(timeout, 0)
        return super().select(0)


class Skipping(asyncio.SelectorEventLoop):
    """A loop whose clock moves only when everything waits for it: what takes 200 ms takes exactly that."""

    def __init__(self):
        self._skip = Skip()
        super().__init__(self._skip)

    def time(self):
        """Seconds slept since the loop was made."""
        return self._skip.now


def put_at(source, speed):
    """When each event of `source` was shown, in seconds after the start, on a clock that no other work moves."""
    at = []

    async def play():
        loop = asyncio.get_running_loop()
        await Player(lambda text: at.append(loop.time()), "json", "x", None).play(source, speed, None)

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(play())
    return at


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_events_come_at_the_recorded_pace_times_the_speed(speed):
    async def source():
        for seq, at in enumerate((10_000, 50_000, 50_000, 210_000)):
            yield Event(seq, at, events.encode(events.delta("a")))

    assert put_at(source(), speed) == pytest.approx([at / speed for at in (0, 0.04, 0.04, 0.2)])


def test_a_wait_is_no_debt_a_late_event_is_shown_at_once():
    async def source():
        yield Event(0, 0, events.OK_DATA)
        await asyncio.sleep(0.05)
        yield Event(1, 10_000, events.OK_DATA)
        yield Event(2, 50_000, events.OK_DATA)
        yield Event(3, 80_000, events.OK_DATA)

    assert put_at(source(), 1.0) == pytest.approx([0, 0.05, 0.05, 0.08])


@pytest.mark.django_db(transaction=True)
async def test_a_running_stream_is_followed_until_it_ends(running):
    shown = []
    begun = asyncio.Event()

    def put(text):
        shown.append(text)
        begun.set()

    async def source():
        async for page in Log().follow(running.pk):
            for event in page.events:
                yield event

    playing = asyncio.create_task(Player(put, "text", str(running.pk), None).play(source(), 0, None))
    await asyncio.wait_for(begun.wait(), 60)
    assert shown == ["Once"]
    await sync_to_async(end)(running)
    await asyncio.wait_for(playing, 60)
    assert "".join(shown) == "Once upon a time"


def end(running):
    """Write the rest of a running stream's log and its end."""
    with transaction.atomic():
        rest = [events.delta(" upon a time"), events.finish("STOP")]
        key = key_of(running.pk)
        rows = [(key, seq, 20_000, events.encode(response), 1) for seq, response in enumerate(rest, 2)]
        insert_events(django_execute, rows)
        update_endings(
            django_execute, [(rows[-1], Ending(running.user_id, events.COMPLETE, [{"text": "x"}], timezone.now()))]
        )
    connection.close()
