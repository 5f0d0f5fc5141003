"""deploy/kubernetes, checked against Kubernetes' schemas, the settings, and the server's drain."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.project.test_architecture import variables_documented
from wondercam.server.options import Options
from wondercam.variables import ALL

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.30", kubernetes_validate.latest_version())
"""The oldest and the newest that are tried."""


def manifests() -> dict[str, dict[str, Any]]:
    """Each by the name of its file, of which it is the only one."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    return manifests()


@pytest.fixture(scope="module")
def pod(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The pods that serve."""
    spec: dict[str, Any] = found["deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", manifests())
def test_each_manifest_follows_the_schema_of_kubernetes(name: str, version: str) -> None:
    kubernetes_validate.validate(manifests()[name], version, strict=True)


def test_the_schema_refuses_a_field_that_does_not_exist() -> None:
    wrong = manifests()["deployment"]
    wrong["spec"]["replica"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_what_selects_pods_selects_those_that_serve_and_no_others(found: dict[str, dict[str, Any]]) -> None:
    serve, migrate = (found[name]["spec"]["template"]["metadata"]["labels"] for name in ("deployment", "migrate"))
    selectors = [
        found["deployment"]["spec"]["selector"]["matchLabels"],
        found["service"]["spec"]["selector"],
        found["disruption-budget"]["spec"]["selector"]["matchLabels"],
        found["network-policy"]["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= serve.items()
        assert not selector.items() <= migrate.items()


def test_the_way_in_leads_to_the_port_that_the_container_names(
    found: dict[str, dict[str, Any]], pod: dict[str, Any]
) -> None:
    [port] = pod["containers"][0]["ports"]
    [service_port] = found["service"]["spec"]["ports"]
    [path] = found["ingress"]["spec"]["rules"][0]["http"]["paths"]
    backend = path["backend"]["service"]

    assert port["containerPort"] == ALL["PORT"].default
    assert service_port["targetPort"] == port["name"]
    assert (backend["name"], backend["port"]["name"]) == (found["service"]["metadata"]["name"], service_port["name"])
    assert found["network-policy"]["spec"]["ingress"][0]["ports"] == [{"port": port["name"]}]


def test_the_ingress_holds_no_event_back(found: dict[str, dict[str, Any]]) -> None:
    said = {name.rpartition("/")[2]: value for name, value in found["ingress"]["metadata"]["annotations"].items()}
    assert said["proxy-buffering"] == "off"
    assert int(said["proxy-read-timeout"]) > ALL["WONDERCAM_LIMIT_STREAM_SECONDS"].default


def test_every_variable_is_a_setting_and_no_secret_is_one_of_them(found: dict[str, dict[str, Any]]) -> None:
    data = found["config"]["data"]
    assert set(data) <= set(variables_documented(ROOT / "docs" / "settings.md"))
    assert all(isinstance(value, str) for value in data.values())
    assert not {"SECRET_KEY", "JWT_SIGNING_KEY", "DATABASE_URL"} & set(data)
    for name in ("deployment", "migrate"):
        [container] = found[name]["spec"]["template"]["spec"]["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": "wondercam"}}, {"secretRef": {"name": "wondercam"}}]


def test_a_pod_has_time_to_drain(found: dict[str, dict[str, Any]], pod: dict[str, Any]) -> None:
    [name, seconds] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    drain = int(found["config"]["data"]["WONDERCAM_DRAIN_SECONDS"])
    assert name == "sleep"
    assert pod["terminationGracePeriodSeconds"] > int(seconds) + drain + 2 * Options().afterwards


def test_a_database_that_is_away_starts_no_pod_anew(pod: dict[str, Any]) -> None:
    probes = {kind: pod["containers"][0][f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: probe["path"] for kind, probe in probes.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {probe["port"] for probe in probes.values()} == {"http"}


def test_migrations_are_a_job_of_their_own_with_the_same_image(found: dict[str, dict[str, Any]]) -> None:
    [serve], [migrate] = (found[name]["spec"]["template"]["spec"]["containers"] for name in ("deployment", "migrate"))
    assert serve["command"] == ["python", "manage.py", "serve"]
    assert migrate["command"][:3] == ["python", "manage.py", "migrate"]
    assert serve["image"] == migrate["image"]


@pytest.mark.parametrize("name", ["deployment", "migrate"])
def test_nothing_runs_as_root_and_everything_has_a_limit_of_memory(found: dict[str, dict[str, Any]], name: str) -> None:
    spec = found[name]["spec"]["template"]["spec"]
    [container] = spec["containers"]
    user = re.search(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text())

    assert user
    assert spec["securityContext"]["runAsUser"] == int(user[1])
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}
