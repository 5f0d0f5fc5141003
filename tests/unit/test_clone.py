"""What follows `make run` in a clone: an account by `make superuser`, and an address by `.env`."""

import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.clone import cloned
from tests.conftest import SETTINGS
from tests.servers.process import Process, free_port, program

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """One that `make run` has set up: its stamp is there, and this environment is its own."""
    clone = cloned(tmp_path)
    for name in ("bin", "lib", "pyvenv.cfg"):
        (clone / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (clone / ".venv" / ".development").touch()
    return clone


def environment(folder: Path) -> dict[str, str]:
    """That of a person who has set nothing."""
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS and not name.startswith("MAKE")}
    return {**bare, "HOME": str(folder), "DJANGO_SUPERUSER_EMAIL": ""}


def typed(command: list[str], cwd: Path, answers: dict[str, str]) -> str:
    """What a command prints to a terminal on which somebody answers each question once it is asked."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command, cwd=cwd, env=environment(cwd), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    said, asked = "", 0
    questions = list(answers.items())
    with suppress(OSError):  # the terminal is gone with the command
        while piece := os.read(ours, 4096):
            said += piece.decode()
            if asked < len(questions) and questions[asked][0] in said.rpartition("\n")[2]:
                os.write(ours, questions[asked][1].encode() + b"\n")
                said, asked = f"{said}\n", asked + 1
    os.close(ours)
    assert child.wait(120) == 0, said
    return said


def test_make_superuser_asks_and_makes_an_account_that_may_do_everything(clone: Path) -> None:
    command = [program(["make"], "make"), "--silent", "--old-file=install", "superuser"]
    password = "correct horse battery"
    answers = {"Username": "ada", "Email": "", "Password:": password, "Password (again):": password}
    assert "Superuser created successfully." in typed(command, clone, answers)
    with closing(sqlite3.connect(clone / "data" / "wondercam.sqlite3")) as database:
        found = database.execute("SELECT username, is_superuser, is_staff FROM chat_user WHERE username = 'ada'")
        assert found.fetchall() == [("ada", 1, 1)]


def test_serve_listens_where_the_file_env_says(clone: Path) -> None:
    port = free_port()
    (clone / ".env").write_text(f"# of this machine\nHOST=localhost\nPORT={port}\nWONDERCAM_MODELS=recording/hello\n")
    env = environment(clone)
    migrate = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    subprocess.run(migrate, cwd=clone, env=env, check=True, capture_output=True, timeout=180)
    process = Process([sys.executable, "-u", "manage.py", "serve"], env=env, cwd=clone)
    try:
        assert process.wait_for_line("Listening on").strip() == f"Listening on http://localhost:{port}"
    finally:
        process.kill9()
