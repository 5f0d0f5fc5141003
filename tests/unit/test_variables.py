"""The application's limits by their declarations, and warnings of variables that nothing reads."""

import pytest
from django.conf import settings

from wondercam import variables
from wondercam.variables import limits
from wondercam.variables.unread import unread


def test_the_application_s_limits_are_the_declared_ones() -> None:
    assert {name: variables.ALL[f"{limits.PREFIX}{name}"].default for name in limits.APPLICATION} == settings.LIMITS


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("WONDERCAM_GUEST", "WONDERCAM_GUESTS"),
        ("WONDERCAM_LIMIT_CHATS_USER", "WONDERCAM_LIMIT_CHAT_USER"),
        ("WONDERCAM_XYZZY", ""),
        ("OPENAI_BASE_URLS", "OPENAI_BASE_URL"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("REDIS_URI", "REDIS_URL"),
    ],
)
def test_a_name_that_nothing_reads_is_told_with_the_one_that_was_meant(name: str, near: str) -> None:
    found = dict(unread([name, "PATH", "SECRET_KEY"]))
    if name == "DATABSE_URL":  # no family of ours begins so: it may be anybody's
        assert found == {}
    else:
        assert found == {name: near}


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_ORG_ID",
        "GEMINI_SANDBOX",
        "DATABASE_HOST",
        "HOSTNAME",
        "WONDERCAM_TEST_SOAK",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ],
)
def test_a_name_of_another_program_is_left_alone(name: str) -> None:
    assert unread([name]) == []
