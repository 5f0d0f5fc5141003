"""Escaping of control characters on terminals, and new files with mode 0600."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from argparse import SUPPRESS

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from chat.management.files import new_file
from chat.management.progress import EVERY, Progress
from chat.management.terminal import Screen, in_line, shown
from chat.models import User
from chat.protocol import events, recording
from chat.protocol.events import Event
from tests.recorded import HELLO, ROOT, imported, run

OURS = sorted(name for name, app in get_commands().items() if app in {"chat", "wondercam"})
CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"
HOSTILE = [
    CLIPBOARD,  # OSC 52: writes the clipboard
    "\x1b[2J\x1b[H",  # clears the screen
    "\x9b31m",  # CSI in one C1 character
    "\x9d0;title\x9c",  # OSC and ST in C1
    "\x07\x08\x7f\r\x0b\x0c\x00",
    "\u202egnp.exe\u202c",  # right-to-left override
    "\u2066a\u2069\u200e\u200f\u061c",
    "\x84\x85\x8d",  # line movements in C1
    "\ufeff\u200b\u00ad",
    "\U000e0041",  # an invisible tag
    "\ud800",
]


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self):
        return True


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_drives_a_terminal_is_written_out(text):
    seen = shown(f"a{text}b")
    assert not any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in seen)
    assert shown(seen) == seen


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=ascii)
def test_json_is_the_same_json_when_it_is_shown(text):
    assert json.loads(shown(json.dumps({"text": text}, ensure_ascii=False, indent=2))) == {"text": text}


@pytest.mark.parametrize(
    "text", ["Zeile\n\tzwei", "日本語", "👩‍👩‍👧", "می‌خواهم", "שלום", "é", "\u0600٤٢", "a\r\nb", "a\u2028b"], ids=ascii
)
def test_what_people_write_stays_as_it_is(text):
    assert shown(text) == text


def test_a_name_cannot_begin_a_line():
    assert in_line("ana\nroot\tcomplete") == "ana\\nroot\\tcomplete"


def test_a_pipe_gets_its_bytes_and_a_terminal_gets_words():
    pipe, terminal, errors = io.StringIO(), Terminal(), io.StringIO()
    for screen in (Screen(pipe), Screen(terminal), Screen(errors, always=True)):
        screen.write(CLIPBOARD, ending="")
    assert pipe.getvalue() == CLIPBOARD
    assert terminal.getvalue() == errors.getvalue() == "\\u001b]52;c;cm0gLXJmIH4=\\u0007"


def recorded(folder, text, **header):
    """The file of a recording whose answer is `text`."""
    said = [events.OK_DATA, events.encode(events.delta(text)), events.encode(events.finish("STOP"))]
    path = folder / "hostile.jsonl"
    lines = recording.dump(header, [Event(seq, seq, data) for seq, data in enumerate(said)])
    path.write_text("".join(lines), encoding="utf-8")
    return path


def on_a_terminal(*arguments):
    """What a command writes to a real terminal."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments)], cwd=ROOT, env=environment, stdout=its, stderr=its
    ) as command:
        os.close(its)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # Linux says EIO when the other end is closed
            pass
        command.wait(30)
    os.close(ours)
    return written.decode()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "sse", "json"])
def test_a_replay_cannot_drive_the_terminal(form, tmp_path):
    path = recorded(tmp_path, "".join(HOSTILE[:-1]))
    written = on_a_terminal("replay_stream", path, "--speed", "0", "--format", form)
    assert "\\u001b]52;c;cm0gLXJmIH4=" in written
    assert re.findall(r"[^\n\r -~]", written) == []


@pytest.mark.django_db
def test_a_pipe_gets_json_and_sse_to_the_byte(tmp_path):
    path = recorded(tmp_path, "".join(HOSTILE[:-1]))
    data = events.encode(events.delta("".join(HOSTILE[:-1])))
    assert f"data: {data}\n" in run("replay_stream", path, "--speed", "0", "--format", "sse")
    assert f'"data":{data}}}\n' in run("replay_stream", path, "--speed", "0", "--format", "json")


@pytest.mark.django_db
def test_neither_a_list_nor_a_refusal_can_drive_the_terminal():
    User.objects.create(username="ana\x9b31m\u202e\nroot")
    imported(HELLO, "--user", "ana\x9b31m\u202e\nroot")
    terminal = Terminal()
    for form in ([], ["--json"]):
        run("list_streams", *form, stderr=terminal)
    assert "\\u009b31m\\u202e\\nroot" in run("list_streams")
    with pytest.raises(CommandError) as wrong:
        run("list_streams", "--user", "\x1b[2J")
    assert "\x1b" not in str(wrong.value)


# Files


def test_a_file_is_its_owners_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        with new_file(str(tmp_path / "new")) as file:
            file.write(b"words")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").read_bytes() == b"words"


def test_no_file_is_written_over_and_no_link_is_followed(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    for name in ("mine", "link", "dangling"):
        with pytest.raises(CommandError, match="exists already, and is not overwritten"), new_file(tmp_path / name):
            pass
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


def test_what_was_not_finished_is_not_left_behind(tmp_path):
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "half") as file:
        file.write(b"ha" * (1 // 0))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_gets_a_sentence(tmp_path):
    with (
        pytest.raises(CommandError, match=r"cannot be written: No such file or directory\."),
        new_file(tmp_path / "a/b"),
    ):
        pass


@pytest.mark.django_db
def test_an_exported_recording_is_its_owners_alone(tmp_path):
    made = imported(HELLO)
    said = run("export_stream", made.pk, tmp_path / "out", "--json")
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert json.loads(said) == {"id": str(made.pk), "events": 17, "file": str(tmp_path / "out")}


# Progress, help


def test_long_work_says_how_far_it_has_come():
    said: list[str] = []
    now = [0.0]
    progress = Progress(said.append, 4_000, "events", lambda: now[0])
    for _ in progress.over(range(4_000)):
        now[0] += EVERY / 1_024
    assert said == ["1,024 of 4,000 events (25 %)", "2,048 of 4,000 events (51 %)", "3,072 of 4,000 events (76 %)"]


def test_short_work_says_nothing():
    said: list[str] = []
    Progress(said.append, 0, "events").add(10)
    assert said == []


@pytest.mark.parametrize("name", OURS)
def test_every_option_of_every_command_has_its_text(name):
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    assert len(parser.description or "") > 20
    assert [action.dest for action in parser._actions if not action.help or action.help == SUPPRESS] == []


@pytest.mark.parametrize("name", sorted({*OURS} - {"serve", "migrate"}))  # of `migrate` only the checks are ours
def test_every_command_can_answer_in_json(name):
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    options = {option for action in parser._actions for option in action.option_strings}
    assert options & {"--json", "--format"}


@pytest.mark.slow
def test_output_that_cannot_be_written_is_told_with_a_sentence():
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        said = subprocess.run(
            [sys.executable, "manage.py", "make_push_keys"], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, env=env,
            text=True, check=False,
        )  # fmt: skip
    told = "CommandError: The output cannot be written: No space left on device.\n"
    assert (said.returncode, said.stderr) == (1, told)
