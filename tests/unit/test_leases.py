"""Leases: a dead worker's streams are found, a living one's never are."""

import os
import subprocess
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chat.models import Stream
from chat.protocol import events
from chat.turns import leases
from tests.inside import new_stream

pytestmark = pytest.mark.usefixtures("log")


def look(reaper: leases.Reaper, times: int, mine: Iterable[UUID] = ()) -> list[UUID]:
    return [pk for _ in range(times) for pk, _ in reaper.reap(list(mine))]


def test_a_lease_that_is_not_renewed_lapses_and_one_that_is_does_not():
    dead, living, reaper = new_stream("ann", "a:1:x"), new_stream("bob", "b:2:y"), leases.Reaper()
    found: list[UUID] = []
    for _ in range(leases.LOOKS + 1):
        leases.renew([living.pk])
        found += look(reaper, 1)

    assert found == [dead.pk]
    assert Stream.objects.get(pk=dead.pk).status == events.INTERRUPTED
    assert Stream.objects.get(pk=living.pk).status == events.RUNNING


def test_a_dead_worker_is_found_within_30_seconds():
    # Its last renewal comes just after a look, which therefore does not count.
    assert (1 + leases.LOOKS + 1) * leases.HEARTBEAT <= 30


def test_one_renewal_begins_the_count_anew():
    stream, reaper = new_stream("ann", "a:1:x"), leases.Reaper()
    assert look(reaper, leases.LOOKS) == []
    leases.renew([stream.pk])

    assert look(reaper, leases.LOOKS) == []
    assert look(reaper, 1) == [stream.pk]


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_jumps_ends_nobody_and_saves_nobody(jump: timedelta, monkeypatch: pytest.MonkeyPatch):
    dead, living, reaper = new_stream("ann", "a:1:x"), new_stream("bob", "b:2:y"), leases.Reaper()
    found, now = look(reaper, 2), leases.now
    monkeypatch.setattr(leases, "now", lambda: now() + jump)
    for _ in range(leases.LOOKS - 1):
        leases.renew([living.pk])
        found += look(reaper, 1)

    assert found == [dead.pk]


def test_one_s_own_turns_are_not_looked_at():
    stream = new_stream()

    assert look(leases.Reaper(), leases.LOOKS + 3, [stream.pk]) == []


def test_a_new_worker_ends_its_dead_neighbours_streams_at_once():
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    host = leases.worker().split(":")[0]
    dead = new_stream("ann", f"{host}:{gone.pid}:x")
    reborn = new_stream("bob", f"{host}:{os.getpid()}:another-token")
    living = new_stream("cy", f"{host}:{os.getppid()}:z")
    elsewhere = new_stream("di", f"another-host:{gone.pid}:x")
    own = new_stream("ed")
    ended = {pk for pk, _ in leases.Reaper().reap_dead_neighbours()}

    assert ended == {dead.pk, reborn.pk}
    assert {living.pk, elsewhere.pk, own.pk} == set(
        Stream.objects.filter(status=events.RUNNING).values_list("pk", flat=True)
    )


def test_a_fork_is_another_worker():
    read, write = os.pipe()
    if not (pid := os.fork()):
        os.write(write, leases.worker().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    child = os.read(read, 200).decode()
    os.close(read)
    os.close(write)

    assert child.split(":")[1] == str(pid)
    assert child.split(":")[2] != leases.worker().split(":")[2]


def test_a_stop_is_wanted_by_a_reader_by_a_disabled_user_or_by_an_end_that_is_not_ours(log: Any):
    asked, disabled, ended, wanted_by_nobody = (new_stream(name) for name in ("ann", "bob", "cy", "di"))
    Stream.objects.filter(pk=asked.pk).update(stop_requested_at=leases.now())
    disabled.user.is_active = False
    disabled.user.save()
    Stream.objects.filter(pk=ended.pk).update(status=events.INTERRUPTED)
    ours = [row.pk for row in (asked, disabled, ended, wanted_by_nobody)]

    assert set(leases.wanted_stops(ours)) == {asked.pk, disabled.pk, ended.pk}
    assert leases.wanted_stops([]) == []
