"""The system checks: each problem of an installation has a message and a hint, not a traceback or a 500."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage

from chat import checks as app_checks
from tests.servers.process import free_port
from wondercam import checks

ROOT = Path(__file__).resolve().parent.parent.parent


def ids(found: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in found]


def test_every_id_is_listed_and_every_listed_id_is_used() -> None:
    source = "".join(Path(module.__file__ or "").read_text() for module in (checks, app_checks))
    listed = set(re.findall(r"^    (wondercam\.[EW]\d+)", checks.__doc__ or "", re.MULTILINE))
    assert listed == set(re.findall(r'id="(wondercam\.[EW]\d+)"', source))


def test_a_folder_that_cannot_be_written_to_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    assert "wondercam.E001" in ids(checks.data_folder())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", []),
        ("http://127.0.0.1:4318", []),
        ("https://user:secret@collector.example/otlp", []),
        ("localhost:4318", ["wondercam.E007"]),
        ("grpc://secret:4317", ["wondercam.E007"]),
        ("http://", ["wondercam.E007"]),
        ("http://[::1", ["wondercam.E007"]),
        ("http://secret:99999", ["wondercam.E007"]),
    ],
)
def test_where_telemetry_is_sent_is_an_address(settings: Any, address: str, expected: list[str]) -> None:
    settings.OTEL_ENDPOINT = address
    found = app_checks.telemetry_address()
    assert ids(found) == expected
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("token", "expected"), [("", []), ("a-Z.09~+/=", []), ("ключ", ["wondercam.E008"]), ("a b", ["wondercam.E008"])]
)
def test_the_metrics_token_is_one_that_a_header_carries(settings: Any, token: str, expected: list[str]) -> None:
    settings.METRICS_TOKEN = token
    found = app_checks.metrics_token()
    assert ids(found) == expected
    assert "ключ" not in str(found)


def test_a_redis_that_does_not_answer_is_a_warning(settings: Any) -> None:
    settings.REDIS_URL = f"redis://:secret@127.0.0.1:{free_port()}/0"
    [found] = checks.redis_answers()
    assert found.id == "wondercam.W004"
    assert "secret" not in str(found)


def test_without_debug_pages_need_their_files_collected(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.DEBUG = True
    assert checks.static_files_collected() == []
    settings.DEBUG = False
    [found] = checks.static_files_collected()
    assert (found.id, "collectstatic" in (found.hint or "")) == ("wondercam.E004", True)
    (tmp_path / "staticfiles.json").touch()
    assert checks.static_files_collected() == []


@pytest.mark.parametrize(
    ("workers", "database", "redis", "expected"),
    [
        (1, "sqlite3", "", []),
        (2, "sqlite3", "", ["wondercam.W002", "wondercam.W003"]),
        (2, "sqlite3", "redis://127.0.0.1/0", ["wondercam.W002"]),
        (2, "postgresql", "", ["wondercam.W003"]),
        (2, "postgresql", "redis://127.0.0.1/0", []),
    ],
)
def test_several_workers_are_told_what_they_lack(
    settings: Any, monkeypatch: pytest.MonkeyPatch, workers: int, database: str, redis: str, expected: list[str]
) -> None:
    monkeypatch.setattr(checks, "sqlite_file", lambda: Path("x") if database == "sqlite3" else None)
    settings.REDIS_URL = redis
    assert ids(checks.several_workers(workers)) == expected


def test_debug_where_others_come_is_a_warning(settings: Any) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["127.0.0.1", "chat.example.com"]
    assert ids(checks.debug_for_others()) == ["wondercam.W005"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    assert checks.debug_for_others() == []
