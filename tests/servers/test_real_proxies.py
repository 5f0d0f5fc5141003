"""`check_streaming` through real proxies, as they come and as they are set: `make soak` tries them. A proxy that is not
installed is a skip that names its package."""

import asyncio
from pathlib import Path

import pytest

from chat.management import probing
from chat.management.commands import check_streaming
from chat.protocol.buffering import Plan
from chat.protocol.hops import PathVerdict
from tests.servers.front import make_certificate
from tests.servers.proxies import running
from tests.servers.real_paths import REAL_BAD, REAL_GOOD, RealPath
from tests.servers.wondercam import WonderCam

pytestmark = pytest.mark.soak  # 7 s each
PLANS = (*check_streaming.PLANS, check_streaming.COMPRESSED, Plan(2, 2_500))


def verdict_on(path: RealPath, origin: WonderCam, folder: Path) -> PathVerdict:
    """What the check says of one path."""
    folder.chmod(0o755)  # some proxies leave root
    ca = ""
    if path.tls:
        make_certificate(folder)
        names = ("fullchain.pem", "privkey.pem")
        (folder / "both.pem").write_text("".join((folder / name).read_text() for name in names))
        ca = str(folder / "fullchain.pem")
    with running(path.proxy, path.block, f"127.0.0.1:{origin.port}", folder) as port:
        url = f"https://localhost:{port}" if path.tls else f"http://127.0.0.1:{port}"
        seen, verdict = asyncio.run(check_streaming.check(probing.ProbedSite(url, ca=ca), PLANS))
    assert not path.tls or {run.http for run in seen} == {"1.1", "2"}
    return verdict


@pytest.mark.parametrize("path", REAL_BAD, ids=lambda path: path.name)
def test_a_real_proxy_that_harms_a_stream_is_named(path: RealPath, shared_server: WonderCam, tmp_path: Path) -> None:
    problems = {problem.kind: problem for problem in verdict_on(path, shared_server, tmp_path).problems}
    assert path.kind in problems
    assert path.hop.lower() in problems[path.kind].hop.lower()


@pytest.mark.parametrize("path", REAL_GOOD, ids=lambda path: path.name)
def test_a_real_proxy_that_passes_a_stream_on_is_let_pass(
    path: RealPath, shared_server: WonderCam, tmp_path: Path
) -> None:
    assert verdict_on(path, shared_server, tmp_path).problems == []


def test_each_is_named_once() -> None:
    names = [path.name for path in [*REAL_BAD, *REAL_GOOD]]
    assert len(names) == len(set(names)) == 43
