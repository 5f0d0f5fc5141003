"""The container files say what they mean: checked against the Compose schema, the settings and each other."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.test_architecture import variables_documented

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def https() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "https.yml").read_text())
    return found


def schema_says(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["docker-compose.yml", "deploy/https.yml"])
def test_the_compose_files_follow_the_specification(path: str) -> None:
    said = schema_says(ROOT / path)
    assert said.returncode == 0, said.stdout


@pytest.mark.slow
def test_the_specification_refuses_a_key_that_does_not_exist(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text((ROOT / "docker-compose.yml").read_text().replace("restart:", "restarts:"))
    assert schema_says(wrong).returncode != 0


def test_web_waits_for_healthy_stores_and_is_on_its_port(compose: dict[str, Any]) -> None:
    web = compose["services"]["web"]
    assert web["ports"] == ["18000:18000"]
    for name, wait in web["depends_on"].items():
        assert wait["condition"] == "service_healthy"
        assert compose["services"][name]["healthcheck"]["test"]
    assert {"postgres", "redis"} == set(web["depends_on"])


def test_every_variable_of_web_is_a_setting(compose: dict[str, Any]) -> None:
    documented = variables_documented(ROOT / "docs" / "settings.md")
    assert set(compose["services"]["web"]["environment"]) <= set(documented)


def test_behind_nginx_only_nginx_is_believed(https: dict[str, Any]) -> None:
    web, nginx = https["services"]["web"], https["services"]["nginx"]
    assert nginx["network_mode"] == "service:web"
    assert web["environment"] == {"WONDERCAM_HTTPS": "1", "WONDERCAM_TRUSTED_PROXIES": "127.0.0.1"}
    mounted = dict(mount.removesuffix(":ro").rsplit(":", 1) for mount in nginx["volumes"])
    assert (ROOT / "deploy" / "nginx.conf").samefile(
        ROOT / next(source for source in mounted if source.startswith("./"))
    )
    used = re.findall(r"(?:ssl_certificate|ssl_certificate_key) (\S+)/", (ROOT / "deploy/nginx.conf").read_text())
    assert set(used) <= set(mounted.values())


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"] | compose["services"]["postgres"]["environment"]
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "POSTGRES_PASSWORD"):
        assert environment[name].startswith(f"${{{name}:?")


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    assert used == set(compose["volumes"])


def test_the_grace_of_the_container_is_longer_than_the_drain(compose: dict[str, Any]) -> None:
    assert int(compose["services"]["web"]["stop_grace_period"].removesuffix("s")) > 30


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "npm ci" in DOCKERFILE
    assert re.search(r"apt-get install .*libgomp1", DOCKERFILE.rpartition("\nFROM ")[2]), "the embedded model needs it"
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["wondercam"]
    assert re.search(r"^HEALTHCHECK .*CMD .*\\\n(?:.*\n)?.*/healthz", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^CMD .*exec python manage.py serve", DOCKERFILE, re.MULTILINE)


@pytest.mark.slow
def test_the_page_can_be_built_and_served_with_the_settings_of_the_image(tmp_path: Path) -> None:
    """What the image's `collectstatic` does: every file found, every import line rewritten to a name with a hash."""
    script = f"""
import django
from django.conf import settings
from django.core.management import call_command
from django.templatetags.static import static
settings.STATIC_ROOT = {str(tmp_path / "collected")!r}
django.setup()
call_command("collectstatic", interactive=False, verbosity=0)
print(static("chat/page.js"))
"""
    image = {
        **os.environ,
        "DEBUG": "0",
        "WONDERCAM_LIMITS": "on",
        "SECRET_KEY": "s" * 40,
        "JWT_SIGNING_KEY": "j" * 40,
        "WONDERCAM_DATA_DIR": str(tmp_path),
    }
    built = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=image, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-2000:]
    assert re.fullmatch(r"/static/chat/page\.[0-9a-f]{12}\.js", built.stdout.strip())


def test_what_the_image_copies_exists_and_is_let_through() -> None:
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {source for line in lines for source in line.split()}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert [name for name in copied if not (ROOT / name).exists()] == []
