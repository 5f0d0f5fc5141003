"""`/metrics`: who may read it, what it counts, that several workers tell as one; what alerts and dashboard name."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from chat.metrics import Metrics
from tests.faults.arena import environment
from tests.faults.reader import Reader
from tests.faults.upstream import upstream
from tests.servers.wondercam import Serve, WonderCam

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
RULES = DEPLOY / "prometheus-rules.yml"


def samples(text: str) -> dict[str, float]:
    """Every sample, by its name and labels."""
    families = text_string_to_metric_families(text)
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def scraped(server: WonderCam, **headers: str) -> dict[str, float]:
    """What this machine is told."""
    return samples(httpx.get(f"{server.url}/metrics", headers=headers, timeout=90).raise_for_status().text)


async def test_two_workers_tell_what_both_have_counted_and_forget_who_has_ended(serve: Serve) -> None:
    async with upstream() as model:
        server = await asyncio.to_thread(serve, environment(model.url), 2)
        token = server.guest()
        readers = [Reader(server.url, token) for _ in range(8)]
        for reader in readers:
            await reader.ask("seed=1 words=5")
        await readers[0].joined(2).once()
        for _ in range(4):  # whichever worker is asked
            told = scraped(server)
            assert told["wondercam_streams_started_total openai/script"] == 8
            assert told["wondercam_streams_ended_total openai/script complete"] == 8
            assert told["wondercam_stream_first_token_seconds_count openai/script"] == 8
            assert told["wondercam_tokens_total out openai/script"] == 8 * 5
            assert told["wondercam_streams_running"] == 0
            assert told["wondercam_streams_resumed_total"] == 1
            assert told["wondercam_stream_gap_seconds_count openai/script 95"] == 8
            assert told["wondercam_events_total"] == 8 * 7


def test_metrics_are_for_this_machine_or_for_the_token(serve: Serve) -> None:
    server = serve({"WONDERCAM_METRICS_TOKEN": "a-token"})
    with httpx.Client(base_url=server.url, timeout=90) as client:
        assert client.get("/metrics").status_code == 200
        behind = {"Host": "chat.example.com"}  # what a proxy on this machine passes on
        assert client.get("/metrics", headers=behind).status_code == 403
        assert client.get("/metrics", headers={**behind, "Authorization": "Bearer wrong"}).status_code == 403
        assert client.get("/metrics", headers={**behind, "Authorization": "Bearer a-token"}).status_code == 200
        assert client.post("/metrics").status_code == 405


def test_without_a_token_nobody_else_may_read_metrics(shared_server: WonderCam) -> None:
    for given in ("Bearer", "Basic eDp5", "Bearer none"):
        for behind in ({"Host": "chat.example.com"}, {"Via": "1.1 proxy"}):
            headers = {**behind, "Authorization": given}
            assert httpx.get(f"{shared_server.url}/metrics", headers=headers, timeout=90).status_code == 403


# deploy/


def known() -> set[str]:
    """The names of all samples that there can be."""
    numbers = Metrics()._numbers
    numbers.running.set(1)
    for metric in (numbers.started, numbers.ok, numbers.first_thought, numbers.first_token, numbers.duration):
        metric.labels("m")
    numbers.stalls.labels("m")
    numbers.taken_up.labels("m")
    numbers.resting.labels("m")
    numbers.unreadable.labels("m")
    numbers.gaps.labels("m", 50)
    numbers.errors.labels("m", "UNAVAILABLE")
    numbers.ended.labels("m", "complete")
    numbers.tokens.labels("m", "in")
    numbers.receipts.labels("good")
    numbers.delivery.labels("downlink")
    return {sample.name for family in numbers.registry.collect() for sample in family.samples}


@pytest.mark.parametrize("path", [RULES, DEPLOY / "grafana.json"], ids=lambda path: path.name)
def test_alerts_and_dashboard_name_numbers_that_are_told(path: Path) -> None:
    used = set(re.findall(r"\bwondercam_\w+", path.read_text()))
    assert len(used) >= 5
    assert used <= known()


def test_what_an_alert_looks_at_is_on_the_dashboard() -> None:
    alerts, dashboard = (
        set(re.findall(r"\bwondercam_\w+", path.read_text())) for path in (RULES, DEPLOY / "grafana.json")
    )
    assert alerts <= dashboard


def test_alerts_and_dashboard_can_be_read() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert all(rule["annotations"]["description"] for rule in rules)
    assert len(json.loads((DEPLOY / "grafana.json").read_text())["panels"]) == 12
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "rules", str(RULES)], check=True, capture_output=True)
