"""Leases: streams of dead workers are found, those of live ones never."""

import asyncio
import os
import subprocess
from collections.abc import Iterable
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from chat.log import Log, group_commit
from chat.models import Stream
from chat.process import this_process
from chat.protocol import events
from chat.protocol.request import Ask
from chat.turns import leases
from chat.turns.leases import Reaper, WorkerName, machine
from chat.turns.runner import Turns
from tests.inside import Core, new_stream
from wondercam import variables

pytestmark = pytest.mark.usefixtures("log")


@pytest.fixture
def reaper(log: Log) -> Reaper:
    return Reaper(log, WorkerName())


async def beats(reaper: Reaper, times: int, mine: Iterable[UUID] = ()) -> list[UUID]:
    return [pk for _ in range(times) for pk in await reaper.beat(list(mine))]


@sync_to_async
def a_stream(name: str = "ann", worker: str | None = None) -> Stream:
    return new_stream(name, worker)


async def lease_of(stream: Stream) -> Any:
    return await Stream.objects.values_list("lease_until", flat=True).aget(pk=stream.pk)


async def renew(stream: Stream) -> int:
    return await sync_to_async(leases.renew)([stream.pk], stream.worker)


async def test_a_lease_that_is_not_renewed_lapses_and_one_that_is_does_not(reaper: Reaper):
    dead, living = await a_stream("ann", "a:1:x"), await a_stream("bob", "b:2:y")
    found: list[UUID] = []
    for _ in range(leases.LOOKS + 1):
        assert await renew(living) == 1
        found += await beats(reaper, 1)

    assert found == [dead.pk]
    assert (await Stream.objects.aget(pk=dead.pk)).status == events.INTERRUPTED
    assert (await Stream.objects.aget(pk=living.pk)).status == events.RUNNING


def test_a_dead_worker_s_turn_goes_on_within_10_seconds_or_ends_within_30():
    # Its last renewal comes just after a look, which therefore does not count.
    seconds, commit = (float(str(variables.ALL[f"WONDERCAM_{name}_SECONDS"].default)) for name in ("LEASE", "COMMIT"))
    grace = leases.grace_of(commit, seconds)

    assert (1 + leases.LOOKS) * seconds <= 8
    assert grace * seconds >= commit
    assert (1 + leases.LOOKS + grace) * seconds <= 30


async def test_a_turn_is_to_be_taken_up_before_it_is_ended_and_that_is_asked_once(log: Log):
    dead, asked = await a_stream("ann", "a:1:x"), list[UUID]()

    async def take_over(stream_id: UUID, lease: Any) -> bool:
        asked.append(stream_id)
        return False

    reaper = Reaper(log, WorkerName(), take_over, grace=3)
    found = [(await reaper.beat([]), len(asked)) for _ in range(leases.LOOKS + 4)]

    assert found == [([], 0)] * leases.LOOKS + [([], 1)] * 3 + [([dead.pk], 2)]


async def test_what_was_taken_up_elsewhere_is_begun_to_be_watched_anew(log: Log):
    dead, asked = await a_stream("ann", "a:1:x"), list[UUID]()

    async def take_over(stream_id: UUID, lease: Any) -> bool:
        asked.append(stream_id)
        await renew(dead)
        return False

    reaper = Reaper(log, WorkerName(), take_over)
    assert await beats(reaper, 2 * leases.LOOKS + 1) == []
    assert asked == [dead.pk]


async def test_where_nothing_can_be_committed_no_look_counts(log: Log, monkeypatch: pytest.MonkeyPatch):
    dead, reaper = await a_stream("ann", "a:1:x"), Reaper(log, WorkerName())

    async def locked(job: Any) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as outage:
        outage.setattr(log, "write_now", lambda job: None)
        outage.setattr(log, "write", locked)
        for _ in range(leases.LOOKS + 1):
            with pytest.raises(OperationalError):
                await reaper.beat([])

    assert await beats(reaper, leases.LOOKS) == []
    assert await beats(reaper, 1) == [dead.pk]


async def test_leases_are_renewed_while_others_are_taken_up(core: Core, monkeypatch: pytest.MonkeyPatch):
    dead, taking, process = await a_stream("bob", "a:1:x"), asyncio.Event(), this_process()
    renewed = asyncio.Event()
    turns = Turns(core.log, lambda: process.catalogue, process.metrics, 0.02)

    async def take_over(stream_id: UUID, lease: Any) -> None:
        taking.set()
        await renewed.wait()

    monkeypatch.setattr(turns._continuation, "take_over", take_over)
    await turns.open()
    own = await turns.start(core.user, Ask(contents=[{"text": "words=2 then=stall"}]), monotonic())
    await taking.wait()
    before = await lease_of(own)
    while await lease_of(own) == before:
        await asyncio.sleep(0.01)

    assert await lease_of(dead) == dead.lease_until
    renewed.set()
    await turns.close(0)


async def test_one_renewal_begins_the_count_anew(reaper: Reaper):
    stream = await a_stream("ann", "a:1:x")
    assert await beats(reaper, leases.LOOKS) == []
    await renew(stream)

    assert await beats(reaper, leases.LOOKS) == []
    assert await beats(reaper, 1) == [stream.pk]


async def test_a_lease_that_is_renewed_while_its_stream_is_being_ended_keeps_it(reaper: Reaper, log: Log):
    stream = await a_stream("ann", "a:1:x")
    seen = await sync_to_async(leases.running_leases)()
    await renew(stream)

    assert await reaper.interrupt(seen) == []
    assert (await Stream.objects.aget(pk=stream.pk)).status == events.RUNNING


async def test_a_transaction_that_is_tried_again_is_no_further_look(
    reaper: Reaper, log: Log, monkeypatch: pytest.MonkeyPatch
):
    living = await a_stream("ann", "a:1:x")
    write, failures = group_commit.GroupCommit._write, [OperationalError("locked")] * 2 * leases.LOOKS

    def locked(self: group_commit.GroupCommit, batch: Any) -> None:
        if failures:
            raise failures.pop()
        write(self, batch)

    monkeypatch.setattr(group_commit.GroupCommit, "_write", locked)
    found = await beats(reaper, leases.LOOKS)
    await log.write(lambda: None)

    assert found == []
    assert (await Stream.objects.aget(pk=living.pk)).status == events.RUNNING


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
async def test_a_clock_that_jumps_ends_nobody_and_saves_nobody(
    jump: timedelta, reaper: Reaper, monkeypatch: pytest.MonkeyPatch
):
    dead, living = await a_stream("ann", "a:1:x"), await a_stream("bob", "b:2:y")
    found, now = await beats(reaper, 2), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + jump)
    for _ in range(leases.LOOKS - 1):
        await renew(living)
        found += await beats(reaper, 1)

    assert found == [dead.pk]


async def test_one_s_own_turns_are_not_looked_at(reaper: Reaper):
    stream = await a_stream()

    assert await beats(reaper, leases.LOOKS + 3, [stream.pk]) == []


def test_what_this_worker_has_just_renewed_is_not_read_and_what_it_has_forgotten_is(log: Log):
    mine, forgotten, other = new_stream("ann"), new_stream("bob"), new_stream("cy", "b:2:y")
    at = timezone.now()
    assert leases.renew([mine.pk], mine.worker, at=at) == 1
    assert leases.renew([other.pk], other.worker, at=at) == 1

    assert {pk for pk, _ in leases.running_leases(mine.worker, at)} == {forgotten.pk, other.pk}
    assert {pk for pk, _ in leases.running_leases()} == {mine.pk, forgotten.pk, other.pk}


@pytest.mark.slow
async def test_a_new_worker_ends_its_dead_neighbours_streams_at_once(log: Log):
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    worker = WorkerName()
    host = worker.name.split(":")[0]
    dead = await a_stream("ann", f"{host}:{gone.pid}:x")
    reborn = await a_stream("bob", f"{host}:{os.getpid()}:another-token")
    living = await a_stream("cy", f"{host}:{os.getppid()}:z")
    elsewhere = await a_stream("di", f"another-host:{gone.pid}:x")
    name, namespace, boot = host.split("/")
    beside = await a_stream("fay", f"{name}/{namespace}0/{boot}:{gone.pid}:x")  # a container of the same host
    twin = await a_stream("hal", f"{name}/{namespace}/{boot[::-1]}:{gone.pid}:x")  # a machine of the same name
    unknown = await a_stream("gus", f"{name}:{gone.pid}:x")
    own = await a_stream("ed", worker.name)
    ended = await Reaper(log, worker).end_dead_neighbours()
    running = {pk async for pk in Stream.objects.filter(status=events.RUNNING).values_list("pk", flat=True)}

    assert set(ended) == {dead.pk, reborn.pk}
    assert running == {living.pk, elsewhere.pk, beside.pk, twin.pk, unknown.pk, own.pk}


def test_a_fork_is_another_worker():
    worker = WorkerName()
    assert worker.name == worker.name
    read, write = os.pipe()
    if not (pid := os.fork()):
        os.write(write, worker.name.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    child = os.read(read, 200).decode()
    os.close(read)
    os.close(write)

    assert child.split(":")[1] == str(pid)
    assert child.split(":")[2] != worker.name.split(":")[2]


def test_a_stop_is_wanted_by_a_reader_by_a_disabled_user_or_by_an_end_that_is_not_ours(log: Log):
    asked, disabled, ended, wanted_by_nobody = (new_stream(name) for name in ("ann", "bob", "cy", "di"))
    Stream.objects.filter(pk=asked.pk).update(stop_requested_at=timezone.now())
    disabled.user.is_active = False
    disabled.user.save()
    Stream.objects.filter(pk=ended.pk).update(status=events.INTERRUPTED)
    ours = [row.pk for row in (asked, disabled, ended, wanted_by_nobody)]

    assert set(leases.wanted_stops(ours, asked.worker)) == {asked.pk, disabled.pk, ended.pk}
    assert leases.wanted_stops([], asked.worker) == []


def test_a_worker_of_another_user_of_this_machine_is_not_dead(monkeypatch: pytest.MonkeyPatch):
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)

    assert not WorkerName().knows_dead(f"{machine()}:1:token")


async def test_what_waits_or_fails_holds_up_no_other_of_many():
    last = leases.AT_ONCE + 3
    came = asyncio.Event()
    done: list[int] = []

    async def take_over(number: int) -> int:
        if number == 0:
            await came.wait()
        if number == 1:
            raise OperationalError
        if number == last:
            came.set()
        done.append(number)
        return number

    with pytest.raises(OperationalError):
        async with asyncio.timeout(10):
            await leases.each(take_over, range(last + 1))
    assert sorted(done) == [0, *range(2, last + 1)]
    assert await leases.each(take_over, [5, 4]) == [5, 4]
