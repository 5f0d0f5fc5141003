"""This project's own server keeps every promise that its adapter declares."""

import httpx

from tests.conformance.adapters.wondercam import WonderCamAdapter
from tests.conformance.checks import CHECKS, SLOW, name_of
from tests.conformance.run import Verdict, chosen, results
from tests.conformance.trial import WAIT, Trial
from tests.faults.arena import Arena

ELSEWHERE = {"killed"}
"""What needs a server of its own: `tests/faults/test_kill_loop.py`, and `make conformance`."""


async def test_it_keeps_every_promise(arena: Arena) -> None:
    server = await arena.shared()
    async with httpx.AsyncClient(base_url=server.url, timeout=WAIT, verify=False) as client:
        adapter = WonderCamAdapter(client, {"question": "seed=5 words={pieces} gap={pause}"})
        await adapter.prepare()
        found = await results(Trial(adapter), chosen())

    assert [result for result in found if result.verdict is not Verdict.KEPT and result.name not in ELSEWHERE] == []


def test_it_promises_every_check() -> None:
    assert set(WonderCamAdapter.promises) == {name_of(check) for check in (*CHECKS, *SLOW)}
