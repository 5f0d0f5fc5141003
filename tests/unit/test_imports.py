"""The imports before a process serves, because clients of a killed server wait for the next one to start."""

import subprocess
import sys

import pytest

ON_DEMAND = ("redis", "limits", "channels_redis", "psycopg", "opentelemetry", "numpy", "onnxruntime", "cv2", "allauth")
"""Packages that a server without Redis, PostgreSQL, tracing and photos does not need."""


def imported(program: str) -> set[str]:
    """The names of the modules that a program has imported at its end."""
    command = [sys.executable, "-c", f"import sys; {program}; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.timeout(120)
@pytest.mark.slow
def test_a_server_imports_what_it_needs_and_no_more() -> None:
    modules = imported("import wondercam.asgi")
    assert "chat.process" in modules
    assert modules.isdisjoint(ON_DEMAND)


@pytest.mark.timeout(120)
@pytest.mark.slow
def test_a_command_imports_no_server() -> None:
    modules = imported("import django; django.setup(); import wondercam.urls")
    assert "chat.views.page" in modules
    assert modules.isdisjoint({"twisted", "autobahn", "daphne.server"})
