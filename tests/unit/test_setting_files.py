"""The files that settings are read from, `.env` and the keys in the data folder: one that is damaged is named."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from wondercam import env_file, key_file


class Variables(dict[str, str]):
    """An environment without the runner's own variables."""

    def __setitem__(self, name: str, value: str) -> None:
        if not name.startswith("PYTEST_"):
            super().__setitem__(name, value)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An empty environment."""
    empty = Variables()
    monkeypatch.setattr(os, "environ", empty)
    return empty


def test_variables_of_the_file_are_set_unless_the_environment_sets_them(env: dict[str, str], tmp_path: Path) -> None:
    env["PORT"] = "1"
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfHOST=::1\r\n\r\n# one\nexport PORT=2 # two\nWONDERCAM_LOG='a # b'\nEMPTY=\n")
    env_file.load(file)
    assert env == {"HOST": "::1", "PORT": "1", "WONDERCAM_LOG": "a # b", "EMPTY": ""}


@pytest.mark.parametrize("made", [Path.mkdir, lambda file: None], ids=["a folder", "nothing"])
def test_without_the_file_nothing_is_set(env: dict[str, str], tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / ".env")
    env_file.load(tmp_path / ".env")
    assert env == {}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"DEBUG=1\n\n# caf\xe9\n", 3),
        ("DEBUG=1\n".encode("utf-16"), 1),
        (b"DEBUG=1\n\n\nALLOWED HOSTS=example.com\n", 4),
        (b"DEBUG=1\nDEBUG: 1\n", 2),
        (b"DEBUG=1\nHOST\n", 2),
        (b'HOST="example.com\nDEBUG=1\n', 1),
        (b"DEBUG=1\nSECRET_KEY=a\0b\n", 2),
    ],
)
def test_a_line_that_cannot_be_read_is_named(env: dict[str, str], tmp_path: Path, content: bytes, line: int) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=rf"\.env .*in line {line}: "):
        env_file.load(file)
    assert env == {}


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", forbidden)
    with pytest.raises(ImproperlyConfigured, match=r"\.env cannot be read: Permission denied"):
        env_file.load(tmp_path / ".env")


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64], ids=["empty", "short", "no text"])
def test_a_damaged_key_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret_key"
    file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=r"secret_key holds no key any more .*delete it"):
        key_file.stored_key(file)
    assert file.read_bytes() == content


def test_a_disk_that_is_full_leaves_no_half_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "secret_key"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(ImproperlyConfigured, match="secret_key cannot be kept there: No space left on device"):
            key_file.stored_key(file)
    assert not file.exists()
    assert len(key_file.stored_key(file)) >= key_file.LEAST_BYTES
    assert [each.name for each in tmp_path.iterdir()] == ["secret_key"]


def test_processes_that_start_at_once_use_one_key(tmp_path: Path) -> None:
    for number in range(20):
        file, together = tmp_path / f"key{number}", threading.Barrier(4)
        found: list[str] = []

        def start(file: Path = file, found: list[str] = found, together: threading.Barrier = together) -> None:
            together.wait()
            found.append(key_file.stored_key(file))

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert set(found) == {file.read_text()}
