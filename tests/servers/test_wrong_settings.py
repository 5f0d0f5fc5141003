"""The commands with a wrong setting, as whoever types them sees it: a sentence with what to do, and no traceback. Nor
is there one after Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with these variables, on top of the tests' own."""
    command = [sys.executable, "manage.py", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=180)


def is_told(said: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with sentences that have these words, and without a traceback."""
    assert said.returncode != 0, said
    assert "Traceback" not in said.stderr + said.stdout, said.stderr
    assert [word for word in words if word not in said.stderr] == [], said.stderr


def test_a_sound_installation_has_nothing_to_report() -> None:
    said = manage("check")
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("command", ["serve", "migrate", "list_streams", "check"])
def test_a_folder_that_cannot_be_made_is_told_by_its_variable(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    said = manage(command, WONDERCAM_DATA_DIR=str(tmp_path / "file" / "data"))
    is_told(said, "WONDERCAM_DATA_DIR is", "cannot be made")


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["migrate"], ["list_streams"], ["check", "--deploy"]])
@pytest.mark.parametrize("content", [b"this is no database, but a text" * 100, b"SQLite format 3\0" * 400])
def test_a_corrupt_database_is_told_with_its_path(tmp_path: Path, command: list[str], content: bytes) -> None:
    (tmp_path / "wondercam.sqlite3").write_bytes(content)
    said = manage(*command, WONDERCAM_DATA_DIR=str(tmp_path))
    is_told(said, "cannot be")
    assert "database" in said.stderr


@pytest.mark.parametrize("command", ["list_streams", "createsuperuser"])
def test_a_database_that_is_behind_is_told_with_the_command_that_mends_it(tmp_path: Path, command: str) -> None:
    arguments = ["--noinput", "--username", "ann", "--email", "a@example.com"] if command == "createsuperuser" else []
    is_told(manage(command, *arguments, WONDERCAM_DATA_DIR=str(tmp_path)), "manage.py migrate")


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["check", "--deploy"]])
def test_what_would_stop_serve_fails_the_check_for_deployment(tmp_path: Path, command: list[str]) -> None:
    said = manage(*command, WONDERCAM_DATA_DIR=str(tmp_path))
    is_told(said, "The database is behind.", "Run `manage.py migrate` first.", "wondercam.E006")


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["check", "--deploy"]])
def test_what_the_server_alone_reads_is_checked_too(command: list[str]) -> None:
    said = manage(*command, WONDERCAM_TRUSTED_PROXIES="nginx")
    is_told(said, "WonderCam cannot start: WONDERCAM_TRUSTED_PROXIES is 'nginx'")


@pytest.mark.parametrize("place", ["", "missing/db.sqlite3"], ids=["a folder", "in no folder"])
def test_an_address_that_names_no_file_is_not_told_as_a_damaged_database(tmp_path: Path, place: str) -> None:
    said = manage("check", "--deploy", DATABASE_URL=f"sqlite:///{tmp_path}/{place}")
    is_told(said, "wondercam.E002", "DATABASE_URL has to name a file, in a folder that exists")
    assert "back-up" not in said.stderr


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:6379", "redis://127.0.0.1:port/0"])
def test_a_redis_address_that_is_none_stops_serve_without_repeating_it(url: str) -> None:
    said = manage("serve", "--port", "0", REDIS_URL=url)
    is_told(said, "REDIS_URL cannot be read", "redis://host:6379/0", "wondercam.E003")


def test_a_wrong_variable_of_a_provider_stops_serve_and_check_but_not_migrate(tmp_path: Path) -> None:
    wrong = {"WONDERCAM_DATA_DIR": str(tmp_path), "WONDERCAM_MODELS": "acme/x"}
    migrated = manage("migrate", "--verbosity", "0", **wrong)
    assert (migrated.returncode, migrated.stderr) == (0, "")
    for command in (["serve", "--port", "0"], ["check"]):
        is_told(manage(*command, **wrong), "WONDERCAM_MODELS names acme/x", "wondercam.E005")


def test_a_mistyped_name_is_a_warning_that_names_its_neighbour() -> None:
    said = manage("check", WONDERCAM_GUEST="1")
    assert said.returncode == 0
    assert "WONDERCAM_GUEST is set, and nothing reads it." in said.stderr
    assert "Is WONDERCAM_GUESTS meant?" in said.stderr


def test_serve_says_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    said = manage("serve", "--port", "0", REDIS_URL="nonsense", LOCAL_SLOTS="many", WONDERCAM_DATA_DIR=str(tmp_path))
    is_told(said, "wondercam.E003", "LOCAL_SLOTS is 'many'")


def test_ctrl_c_before_a_command_has_begun_ends_it_by_that_signal_without_a_traceback() -> None:
    code = """if True:
        import sys
        from wondercam import commandline

        def execute_from_command_line(_):
            raise KeyboardInterrupt

        commandline.execute_from_command_line = execute_from_command_line
        sys.exit(commandline.run([]))
    """
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (-signal.SIGINT, "", "")
