"""The content security policies, as Google's CSP Evaluator judges them."""

import json
import subprocess

import pytest

from tests.servers.process import program
from tests.servers.wondercam import ROOT
from wondercam.security import ADMIN_POLICY, API_POLICY, PAGE_POLICY


def judged(*policies: str) -> subprocess.CompletedProcess[str]:
    """What `deploy/policies.mjs` says of these."""
    sent = json.dumps([policy.format(nonce="r4nd0m-n0nce") for policy in policies])
    command = [program(["node"], "nodejs"), "deploy/policies.mjs"]
    return subprocess.run(command, cwd=ROOT, input=sent, capture_output=True, text=True, check=False)


def test_nothing_serious_is_found_in_the_policies() -> None:
    done = judged(API_POLICY, PAGE_POLICY, ADMIN_POLICY)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize(
    ("strong", "weak"),
    [
        ("script-src 'nonce-{nonce}' 'strict-dynamic'", "script-src 'self' 'unsafe-inline'"),
        ("base-uri 'none'; ", ""),
        ("default-src 'none'", "default-src *"),
    ],
)
def test_a_weaker_policy_is_found(strong: str, weak: str) -> None:
    assert strong in PAGE_POLICY
    weakened = PAGE_POLICY.replace(strong, weak).replace("object-src 'none'; ", "")
    done = judged(weakened)
    assert done.returncode == 1, done.stdout
    assert "HIGH" in done.stdout
