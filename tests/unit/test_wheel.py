"""The wheel contains all files of the site, and starts without questions and without a checkout."""

import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.servers.process import program
from tests.wheel import OF_THE_MACHINE, ROOT, Installation
from wondercam import commandline

pytestmark = pytest.mark.slow


def names_in(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_the_wheel_has_all_code_migrations_and_templates_and_nothing_else_of_the_checkout(wheel_file: Path) -> None:
    names = names_in(wheel_file)
    for part, inside in (("chat", "chat"), ("wondercam", "wondercam"), ("templates", "wondercam/bundled/templates")):
        kept = [path for path in (ROOT / part).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert {f"{inside}/{path.relative_to(ROOT / part).as_posix()}" for path in kept} <= names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"chat", "wondercam"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".sqlite3", ".env"))]


def test_the_page_s_files_are_in_the_wheel_under_names_with_their_hashes(wheel_file: Path) -> None:
    names = names_in(wheel_file)
    assert "wondercam/bundled/static/staticfiles.json" in names
    for area, wanted in (
        ("chat", "page"),
        ("vendor/highlight", "core.min"),
        ("vendor/highlight/languages", "python.min"),
        ("admin/css", "base"),
    ):
        assert [
            n for n in names if re.match(rf"wondercam/bundled/static/{area}/{wanted}\.[0-9a-f]{{12}}\.(js|css)$", n)
        ]


def test_what_pyproject_asks_for_is_what_requirements_in_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [line for line in (ROOT / "requirements.in").read_text().splitlines() if line and not line.startswith("#")]
    telemetry = extras.pop("otel")  # of the wheel only: nobody who runs a checkout needs it to be installed
    assert set(telemetry) <= set((ROOT / "requirements-dev.in").read_text().splitlines())
    assert sorted([*project["dependencies"], *(name for names in extras.values() for name in names)]) == sorted(lines)
    assert set(extras) == {"local", "ocr", "postgres", "redis", "sso"}


def test_the_first_start_makes_its_database_and_keys_in_the_platform_s_data_folder(installation: Installation) -> None:
    data = installation.home / ".local" / "share" / "wondercam"
    if sys.platform == "darwin":
        data = installation.home / "Library" / "Application Support" / "wondercam"
    assert httpx.get(f"{installation.url}/readyz").status_code == 200
    assert (data / "wondercam.sqlite3").is_file()
    for key in ("secret_key", "jwt_signing_key"):
        assert len((data / key).read_text()) >= 32
        assert stat.S_IMODE((data / key).stat().st_mode) == 0o600


def test_the_page_and_its_files_come_from_the_wheel(installation: Installation) -> None:
    with httpx.Client(base_url=installation.url) as browser:
        page = browser.get("/")
        assert page.status_code == 200
        files = re.findall(r'(?:src|href)="(/static/[^"]+\.[0-9a-f]{12}\.(?:js|css))"', page.text)
        assert files
        for file in files:
            assert browser.get(file).status_code == 200
        assert "Django site admin" not in page.text


def test_a_first_visitor_is_answered_without_an_account_or_a_setting(installation: Installation) -> None:
    with httpx.Client(base_url=installation.url) as client:
        token = client.post("/v2/auth/guest").json()["access"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.post("/v2/echat", json={"contents": [{"text": "Hi"}]}, headers=headers)
        assert answer.text.endswith("data: [DONE]\n\n")
        assert client.get("/c/00000000-0000-0000-0000-000000000000").status_code == 404  # a page of ours, no traceback


PAGES = ("README.md", "docs/guides/own-key.md")
NAMED = re.compile(r"dist/(wondercam-[\w.-]+\.whl)\[([a-z,]+)\]'?(?: (\w+))?$", re.MULTILINE)


BY_UVX = [line.strip() for page in PAGES for line in (ROOT / page).read_text().splitlines() if "uvx " in line]


def test_what_the_docs_install_is_the_file_that_is_made_with_extras_and_the_command_that_it_has(
    wheel_file: Path,
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [found for page in PAGES for found in NAMED.findall((ROOT / page).read_text())]
    assert len(named) == 5
    for file, extras, command in named:
        assert file == wheel_file.name
        assert set(extras.split(",")) <= set(project["optional-dependencies"])
        assert command in ("", *project["scripts"])


@pytest.mark.soak  # it asks a registry for the packages
@pytest.mark.parametrize("line", BY_UVX)
def test_uvx_runs_the_file_as_the_docs_say(line: str, wheel_file: Path, tmp_path: Path) -> None:
    uvx = program([str(Path(sys.executable).with_name("uvx"))], "uv")
    _, *arguments = [re.sub(r"^dist/.*", str(wheel_file), word) for word in shlex.split(line)]
    kept = {name: value for name, value in os.environ.items() if name.startswith(OF_THE_MACHINE)}
    home = {**kept, "HOME": str(tmp_path), "UV_PYTHON": sys.executable}
    command = [uvx, *arguments, "version"]
    done = subprocess.run(command, env=home, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?\n", done.stdout)


def test_on_windows_the_command_says_where_wondercam_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert commandline.run(["wondercam"], platform="win32") == 1
    assert "Windows Subsystem for Linux" in capsys.readouterr().err
