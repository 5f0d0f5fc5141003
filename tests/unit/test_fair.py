"""`FairExecutor`: threads that are shared fairly between users."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from chat.limits.fair import FairExecutor
from chat.protocol.errors import ResourceExhausted


class Bench:
    """One thread, work that runs until it is let go, and the order in which it ran."""

    def __init__(self) -> None:
        self.executor = FairExecutor(1, "bench")
        self.order: list[str] = []
        self.go = threading.Event()

    def send(self, subject: str, name: str) -> "asyncio.Task[None]":
        def work() -> None:
            self.go.wait(10)
            self.order.append(name)

        return asyncio.create_task(self.executor.run(subject, work))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.go.set()


async def test_somebodys_many_do_not_delay_anothers_one(bench: Bench):
    many = [bench.send("a", f"a{number}") for number in range(6)]
    await asyncio.sleep(0)
    one = bench.send("b", "b0")
    await asyncio.sleep(0)
    bench.go.set()
    await asyncio.gather(*many, one)
    assert bench.order == ["a0", "a1", "b0", "a2", "a3", "a4", "a5"]


async def test_who_goes_away_loses_the_place_and_nobody_elses(bench: Bench):
    first, second, third = bench.send("a", "a0"), bench.send("a", "a1"), bench.send("b", "b0")
    await asyncio.sleep(0)
    second.cancel()
    bench.go.set()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert bench.order == ["a0", "b0"]
    await bench.executor.run("c", bench.order.append, "c0")
    assert bench.order[-1] == "c0"


async def test_a_thread_stays_taken_until_its_work_has_ended(bench: Bench):
    first = bench.send("a", "a0")
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = bench.send("b", "b0")
    bench.go.set()
    await second
    assert bench.order == ["a0", "b0"]


async def test_what_fails_gives_its_thread_on(bench: Bench):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await bench.executor.run("a", divmod, 1, 0)


async def test_more_than_enough_of_one_subject_is_refused(bench: Bench):
    bench.executor = FairExecutor(1, "bench", most_waiting=2)
    waiting = [bench.send("a", f"a{number}") for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhausted):
        await bench.executor.run("a", bench.order.append, "a3")
    others = bench.send("b", "b0")
    bench.go.set()
    await asyncio.gather(*waiting, others)
