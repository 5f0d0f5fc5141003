"""The declarations of environment variables, held against what the sources read and the docs say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import name_of, nodes_of, of_the_site, ours
from wondercam import variables
from wondercam.variables import limits
from wondercam.variables.document import DOCUMENTS

SITE_READERS = {"envstr", "envbool", "envint", "envlist", "envhosts", "envchoice"}
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
