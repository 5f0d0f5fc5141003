"""The imports before a process serves, because clients of a killed server wait for the next one to start."""

import subprocess
import sys

import pytest

ON_DEMAND = ("redis", "limits", "channels_redis", "psycopg", "opentelemetry", "numpy", "onnxruntime", "cv2", "allauth")
"""Packages that a server without Redis, PostgreSQL, tracing and photos does not need."""


@pytest.mark.timeout(120)
@pytest.mark.slow
def test_a_server_imports_what_it_needs_and_no_more() -> None:
    program = "import sys, wondercam.asgi; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "chat.process" in modules
    assert modules.isdisjoint(ON_DEMAND)
