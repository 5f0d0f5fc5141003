"""Settings from the environment: an invalid one prevents the start, with a message that names the variable."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.clone import cloned
from tests.conftest import SETTINGS
from wondercam.databases import database

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = {"SECRET_KEY": "s" * 40, "JWT_SIGNING_KEY": "j" * 40}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Read the settings again with these variables: `load(DEBUG="0")["GUESTS"]`. Keys are given."""

    def settings(**environment: str) -> dict[str, Any]:
        for name, value in {"WONDERCAM_DATA_DIR": str(tmp_path), "WONDERCAM_LIMITS": "", **KEYS, **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "wondercam" / "settings.py"))

    return settings


@pytest.mark.parametrize(
    ("name", "value", "others"),
    [
        ("DEBUG", "maybe", {}),
        ("SECRET_KEY", "", {"DEBUG": "0"}),
        ("SECRET_KEY", "short", {}),
        ("JWT_SIGNING_KEY", "", {"DEBUG": "0"}),
        ("JWT_SIGNING_KEY", "short", {}),
        ("JWT_SIGNING_KEY", KEYS["SECRET_KEY"], {}),
        ("DATABASE_URL", "mysql://user@host/name", {}),
        ("DATABASE_URL", "nonsense", {}),
        ("DATABASE_URL", "postgres://user@host:5432/", {}),
        ("DATABASE_URL", "sqlite://", {}),
        ("DATABASE_URL", "sqlite://:memory:", {}),
        ("DATABASE_POOL", "1", {}),
        ("ALLOWED_HOSTS", "https://chat.example.com", {}),
        ("ALLOWED_HOSTS", "localhost, chat.example.com:443", {}),
        ("ALLOWED_HOSTS", "2001:db8::7", {}),
        ("ALLOWED_HOSTS", "*.example.com", {}),
        ("WONDERCAM_KEEP_GUESTS_DAYS", "99999999999", {}),
        ("CORS_ALLOWED_ORIGINS", "*", {}),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.com, null", {}),
        ("WONDERCAM_GUESTS", "perhaps", {}),
        ("WONDERCAM_SIGNUP", "sometimes", {}),
        ("WONDERCAM_HTTPS", "2", {}),
        ("WONDERCAM_DRAIN_SECONDS", "soon", {}),
        ("WONDERCAM_LIMIT_CHAT_USER", "many", {}),
        ("WONDERCAM_LIMIT_CHAT_USER", "0", {}),
        ("WONDERCAM_LIMIT_PHOTO_BYTES", "-1", {}),
        ("WONDERCAM_LIMITS", "off", {"DEBUG": "0"}),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    load: Any, name: str, value: str, others: dict[str, str]
) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"\b{name}\b"):
        load(**{name: value, **others})


def test_hosts_are_names_and_addresses(load: Any) -> None:
    hosts = ["chat.example.com", ".example.org", "my_box", "192.0.2.7", "[2001:db8::7]", "example.net."]
    assert load(ALLOWED_HOSTS=", ".join(hosts))["ALLOWED_HOSTS"] == hosts


def test_limits_may_be_off_in_production_when_that_is_intended(load: Any) -> None:
    assert load(DEBUG="0", WONDERCAM_LIMITS="off", WONDERCAM_LIMITS_OFF_IS_INTENDED="1")["LIMITS_OFF"] is True


def test_an_empty_variable_counts_as_unset(load: Any) -> None:
    found = load(DEBUG=" ", WONDERCAM_LIMIT_CHAT_USER="", ALLOWED_HOSTS="")
    assert found["DEBUG"] is False
    assert found["LIMITS"]["CHAT_USER"] == 20
    assert "127.0.0.1" in found["ALLOWED_HOSTS"]


def test_guests_follow_debug_unless_they_are_set(load: Any) -> None:
    assert load(DEBUG="1")["GUESTS"] is True
    assert load(DEBUG="0")["GUESTS"] is False
    assert load(DEBUG="0", WONDERCAM_GUESTS="on")["GUESTS"] is True


def test_model_servers_of_this_machine_are_looked_for_with_debug_unless_that_is_set(load: Any) -> None:
    def found(debug: str, discover: str) -> str:
        providers = load(DEBUG=debug, WONDERCAM_DISCOVER=discover)["PROVIDERS"]
        return str(providers["WONDERCAM_DISCOVER"])

    assert (found("1", ""), found("0", "")) == ("1", "0")
    assert (found("1", "0"), found("0", "1")) == ("0", "1")


def test_accounts_are_open_with_debug_and_closed_without_unless_it_is_set(load: Any) -> None:
    assert load(DEBUG="1")["SIGNUP"] == "open"
    assert load(DEBUG="0")["SIGNUP"] == "closed"
    assert load(DEBUG="0", WONDERCAM_SIGNUP="Invite")["SIGNUP"] == "invite"


def test_with_debug_keys_are_made_once_and_kept_from_others(load: Any, tmp_path: Path) -> None:
    first = load(DEBUG="1", SECRET_KEY="", JWT_SIGNING_KEY="")
    again = load(DEBUG="1", SECRET_KEY="", JWT_SIGNING_KEY="")
    assert first["SECRET_KEY"] == again["SECRET_KEY"] != first["JWT_SIGNING_KEY"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_the_database_is_sqlite_in_the_data_folder_unless_it_is_named(load: Any, tmp_path: Path) -> None:
    own = load()["DATABASES"]["default"]
    assert (own["ENGINE"], own["NAME"]) == ("wondercam.sqlite3", str(tmp_path / "wondercam.sqlite3"))
    assert own["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    named = load(DATABASE_URL="postgres://me:secret@db:5433/chat")["DATABASES"]["default"]
    assert (named["ENGINE"], named["HOST"], named["PORT"]) == ("django.db.backends.postgresql", "db", 5433)
    assert named["OPTIONS"]["pool"]


@pytest.mark.parametrize(
    ("hosts", "https"),
    [("", False), ("127.0.0.1,localhost", False), ("chat.example.com", True), ("localhost,chat.example.com", True)],
)
def test_without_debug_https_is_the_rule_where_others_than_this_machine_come(
    load: Any, hosts: str, https: bool
) -> None:
    found = load(DEBUG="0", ALLOWED_HOSTS=hosts, WONDERCAM_LIMITS="on", **KEYS)
    assert found["SECURE_SSL_REDIRECT"] is https
    assert found["SESSION_COOKIE_SECURE"] is https


@pytest.mark.slow
def test_production_settings_pass_the_checks_for_deployment(tmp_path: Path) -> None:
    production = {**os.environ, **KEYS, "DEBUG": "0", "WONDERCAM_LIMITS": "on", "WONDERCAM_HSTS_PRELOAD": "1"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING", "--tag", "security"]
    production["WONDERCAM_DATA_DIR"] = str(tmp_path)
    production["ALLOWED_HOSTS"] = "chat.example.com"
    production["SECRET_KEY"] = "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLM"
    checked = subprocess.run(command, cwd=ROOT, env=production, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow
def test_a_wrong_setting_ends_a_command_with_one_sentence(tmp_path: Path) -> None:
    wrong = {**os.environ, "WONDERCAM_DATA_DIR": str(tmp_path), "WONDERCAM_LIMIT_STREAMS": "lots"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=wrong, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == "WonderCam cannot start: WONDERCAM_LIMIT_STREAMS is 'lots': write a whole number.\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stamp", "environment", "debug"),
    [
        (True, {}, True),
        (False, {}, None),
        (True, {"DEBUG": "0"}, None),
        (True, {"SECRET_KEY": KEYS["SECRET_KEY"], "JWT_SIGNING_KEY": KEYS["JWT_SIGNING_KEY"]}, False),
    ],
    ids=["set up by make run", "not set up", "DEBUG is off", "a key was made"],
)
def test_a_command_works_without_variables_only_where_make_run_has_set_the_folder_up(
    tmp_path: Path, stamp: bool, environment: dict[str, str], debug: bool | None
) -> None:
    """`debug` is None where the command must insist on keys."""
    clone = cloned(tmp_path)
    if stamp:
        (clone / ".venv" / ".development").touch()
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [
        sys.executable,
        "manage.py",
        "shell",
        "-v",
        "0",
        "-c",
        "from django.conf import settings as s; print(s.DEBUG)",
    ]
    said = subprocess.run(command, cwd=clone, env={**bare, **environment}, capture_output=True, text=True, check=False)
    if debug is None:
        assert (said.returncode, "SECRET_KEY is not set" in said.stderr) == (1, True)
    else:
        assert said.stdout.strip() == str(debug), said.stderr


def test_a_postgresql_that_answers_nothing_any_more_is_given_up_unless_the_address_says_otherwise(tmp_path):
    given = database("postgres://db.example/chat", 8, tmp_path)["OPTIONS"]
    assert (given["connect_timeout"], given["keepalives_idle"], given["tcp_user_timeout"]) == (10, 10, 15_000)
    other = database("postgres://db.example/chat?tcp_user_timeout=60000&sslmode=require", 8, tmp_path)["OPTIONS"]
    assert (int(other["tcp_user_timeout"]), other["sslmode"]) == (60_000, "require")
