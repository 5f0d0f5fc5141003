"""The declarations of environment variables, from which reading, docs and warnings follow."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.sources import name_of, nodes_of, of_the_site, ours
from wondercam import variables
from wondercam.variables import limits
from wondercam.variables.document import DOCUMENTS
from wondercam.variables.unread import unread

SITE_READERS = {"envstr", "envbool", "envint", "envlist", "envchoice"}
PROVIDER_READERS = {"chosen", "text", "items", "flag", "number", "whole", "address", "secret"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_are_what_the_declarations_make(path: Path) -> None:
    assert path.read_text() == DOCUMENTS[path](), "run .venv/bin/python -m wondercam.variables"


def readings() -> Iterator[tuple[str, str, list[ast.expr]]]:
    """Each call of a reader that names its variable: where, which, and the arguments behind the name."""
    for path in filter(of_the_site, ours(".py")):
        for call in (node for node in nodes_of(path) if isinstance(node, ast.Call)):
            reader = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
            place = 0 if reader in SITE_READERS else 1 if reader in PROVIDER_READERS else len(call.args)
            for argument in call.args[place : place + 1]:
                if isinstance(argument, ast.Constant) and re.fullmatch(r"[A-Z][A-Z0-9_]+", str(argument.value)):
                    yield name_of(path), str(argument.value), call.args[place + 1 :]


READ_TWICE = {
    "SECRET_KEY",  # by `secret`, and by whoever looks whether it is set
    "WONDERCAM_MODELS",  # by each provider
    "OPENAI_CONTEXT",  # item by item
    "WONDERCAM_LIMIT_STREAM_SECONDS",  # as the turn's own limit and as that of asking upstreams
    "OTEL_EXPORTER_OTLP_ENDPOINT",  # where traces go, and whether upstreams are told of them
}


def test_what_is_read_is_declared_and_what_is_declared_is_read() -> None:
    read = {name for _, name, _ in readings()} | {f"{limits.PREFIX}{name}" for name in limits.APPLICATION}
    asked_by_name = {"SECRET_KEY", "JWT_SIGNING_KEY"}  # `secret(name)` in the settings
    assert read | asked_by_name == set(variables.ALL)


def test_each_variable_is_read_in_one_place() -> None:
    places: dict[str, set[str]] = {}
    for path, name, _ in readings():
        places.setdefault(name, set()).add(path)
    assert {name: sorted(where) for name, where in places.items() if len(where) > 1 and name not in READ_TWICE} == {}


def test_the_default_that_a_provider_s_file_has_is_the_declared_one() -> None:
    different = {}
    for path, name, rest in readings():
        if path.startswith("chat/") and rest and isinstance(rest[0], ast.Constant):
            default, declared = rest[0].value, variables.ALL[name].default
            if declared is not None and default not in (declared, "") and name not in READ_TWICE:
                different[name] = (default, declared)
    assert different == {}


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
