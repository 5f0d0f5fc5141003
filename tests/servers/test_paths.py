"""`check_streaming` through a corpus of paths: every bad one is named, no good one is alarmed at."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path as Folder

import pytest

from chat.management import probing
from chat.management.commands import check_streaming
from chat.protocol.buffering import Plan
from chat.protocol.hops import PathVerdict
from tests.servers.front import StartFront
from tests.servers.nginx import Nginx
from tests.servers.paths import BAD, GOOD, Path
from tests.servers.process import free_port
from tests.servers.relay import Relay
from tests.servers.wondercam import WonderCam
from tests.soak import SOAK

ONE_OF_EACH = {
    "4 KiB at a time",
    "a gateway that scans the whole body",
    "a CDN, every 500 ms",
    "the first 1,500 bytes at once",
    "gzip that waits",
    "HTTP/1.0",
    "cut after 1 s of silence",
    "cut after 1.2 s",
    "no Content-Type",
    "a cache",
    "other words",
    "a bad gateway",
    "two nginx, of which the inner one eats the header",
    "nginx without Last-Event-ID",
    "a relay",
    "split into 7 bytes",
    "nginx as it comes",
}
"""One path for each way to hold, cut or change a stream; `make soak` tries them all."""


def tried(paths: list[Path]) -> list[Path]:
    """Those that are tried here."""
    return [path for path in paths if SOAK or path.name in ONE_OF_EACH]


PLANS = (*check_streaming.PLANS, check_streaming.COMPRESSED, Plan(2, 2_500))
AT_ONCE = 4
"""Paths that are tried at a time: more, and this machine is what holds events back."""


async def verdict_on(path: Path, origin: WonderCam, folder: Folder) -> PathVerdict:
    """What the check says of one path."""
    async with AsyncExitStack() as stack:
        if isinstance(path.way, str):
            port = free_port()
            block = path.way.replace("ORIGIN", origin.url).replace("INNER", str(free_port())).replace("PORT", str(port))
            nginx = await asyncio.to_thread(Nginx, folder, block.replace("FOLDER", str(folder)), port)
            stack.callback(nginx.stop)
            url = nginx.url
        else:
            url = (await stack.enter_async_context(Relay(origin.port, path.way))).url
        seen, verdict = await check_streaming.check(probing.ProbedSite(url), PLANS)
        print(path.name, *map(str, seen), verdict.as_json(), sep="\n  ")
        return verdict


async def verdicts_on(paths: list[Path], origin: WonderCam, folder: Folder) -> dict[str, PathVerdict]:
    """Some at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, path: Path) -> PathVerdict:
        async with free:
            own = folder / str(number)
            own.mkdir()
            return await verdict_on(path, origin, own)

    found = await asyncio.gather(*(one(number, path) for number, path in enumerate(paths)))
    return {path.name: verdict for path, verdict in zip(paths, found, strict=True)}


@pytest.fixture(scope="module")
def verdicts(shared_server: WonderCam, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PathVerdict]:
    """What is found on each path."""
    return asyncio.run(verdicts_on(tried([*BAD, *GOOD]), shared_server, tmp_path_factory.mktemp("paths")))


@pytest.mark.parametrize("path", tried(BAD), ids=lambda path: path.name)
def test_a_bad_path_is_named(path: Path, verdicts: dict[str, PathVerdict]) -> None:
    problems = verdicts[path.name].problems
    assert path.kind in [problem.kind for problem in problems]
    named = next(problem for problem in problems if problem.kind == path.kind)
    assert path.hop.lower() in named.hop.lower()
    assert len(named.mend) > 20


@pytest.mark.parametrize("path", tried(GOOD), ids=lambda path: path.name)
def test_a_good_path_is_let_pass(path: Path, verdicts: dict[str, PathVerdict]) -> None:
    assert verdicts[path.name].problems == []


def test_there_are_fifty_bad_and_twenty_good_ones() -> None:
    names = {path.name for path in [*BAD, *GOOD]}
    assert (len(BAD), len(GOOD), len(names)) == (50, 20, 70)
    assert {path.kind for path in BAD if path.name in ONE_OF_EACH} == {path.kind for path in BAD}
    assert names > ONE_OF_EACH


def test_both_versions_of_http_are_tried_at_once_over_tls(
    shared_server: WonderCam, front: StartFront, tmp_path: Folder
) -> None:
    url = front([f"127.0.0.1:{shared_server.port}"]).url
    site = probing.ProbedSite(url, ca=str(tmp_path / "fullchain.pem"))
    seen, verdict = asyncio.run(check_streaming.check(site, check_streaming.PLANS[:1]))
    assert [(run.http, run.status, run.error) for run in seen if run.plan.http == "2"] == [("2", 200, "")]
    assert {run.http for run in seen if run.plan.http == "1.1"} == {"1.1"}
    assert "unreachable" not in [problem.kind for problem in verdict.problems]


def test_the_command_says_so_and_ends_with_0(shared_server: WonderCam) -> None:
    said = json.loads(shared_server.manage("check_streaming", shared_server.url, "--idle", "1", "--json"))
    assert (said["good"], said["problems"]) == (True, [])
    assert {run["events"] for run in said["runs"]} == {40, 2}


def test_the_command_ends_with_1_where_nobody_answers(shared_server: WonderCam) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1:(.|\n)*Nothing answers: .* no server runs at that port"):
        shared_server.manage("check_streaming", f"http://127.0.0.1:{free_port()}")
