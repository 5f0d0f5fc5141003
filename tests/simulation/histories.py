"""Runs histories in this process: each on a database of its own, a copy of one that was migrated once."""

import argparse
import gc
import logging
import random
import shutil
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import django
from channels.layers import channel_layers
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from tests.simulation.disk import ConnectionOnDisk
from tests.simulation.machine import Machine

COLLECTED_EVERY = 2_000
"""Ticks: memory is collected at the same places of every run."""


class Histories:
    """All histories of one call."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        django.setup()
        from chat.models import User

        self._machine = machine
        self._path = Path(connection.settings_dict["NAME"])
        self._empty = folder / "empty.sqlite3"
        call_command("migrate", verbosity=0, interactive=False)
        User.objects.create(username="ann")
        connection.close()
        shutil.copy(self._path, self._empty)
        settings.DEBUG = False  # which keeps every statement
        logging.disable(logging.CRITICAL)
        warnings.simplefilter("ignore", RuntimeWarning)  # what a killed process never awaited
        sys.unraisablehook = self._unraisable

    def run(self, asked: argparse.Namespace) -> int:
        """Until all ticks are done, or one history fails; 0 where none did."""
        began, ticks, seed, faults = time.perf_counter(), 0, asked.seed or asked.first, 0
        events = 0
        while True:
            world, trace, error = self._one(seed, asked.ticks_each, asked.trace is not None)
            ticks, events, faults = (
                ticks + world.ticks,
                events + world.ledger.stored,
                faults + sum(world.faults.values()),
            )
            if asked.digests:
                print(f"seed {seed}: {world.digest.hexdigest()}", flush=True)
            if asked.trace is not None:
                asked.trace.write_text("".join(trace))
            if error is not None:
                print("".join(traceback.format_exception(error)), flush=True)
                print(f"seed {seed} failed after {world.ticks:,} ticks: {error}", flush=True)
                print(f"To see it again: make simulate SEED={seed} EACH={asked.ticks_each}", flush=True)
                return 1
            if asked.seed is not None or ticks >= asked.ticks:
                break
            seed += 1
        seconds = time.perf_counter() - began
        print(
            f"seeds {asked.seed or asked.first} to {seed}, {ticks:,} ticks, {events:,} events, {faults:,} faults: "
            f"nothing lost, doubled or reordered ({seconds:.0f} s)",
            flush=True,
        )
        return 0

    def _unraisable(self, failed: Any) -> None:
        """Between histories dead processes' generators are closed, and may protest: nobody is there."""
        world: Any = self._machine.world
        if world is not None:
            world.found = world.found or f"{failed.object!r}: {failed.exc_value!r}"

    def _one(self, seed: int, ticks: int, traced: bool):
        from tests.simulation.network import Network
        from tests.simulation.world import World

        for name in ("", "-wal", "-shm", "-checkpoint"):
            Path(f"{self._path}{name}").unlink(missing_ok=True)
        shutil.copy(self._empty, self._path)
        random.seed(seed)
        trace: list[str] = []
        gc.disable()
        world = World(seed, self._path, trace if traced else None)
        connection.close()
        ConnectionOnDisk.disk = world
        channel_layers.set("default", Network(world))
        self._machine.world = world
        error: Exception | None = None
        try:
            world.run(ticks)
        except Exception as failed:  # whatever it is, it has a seed
            error = failed
        finally:
            world.found = world.found or "closed"
            world.close()
            connection.close()
            self._machine.world = None
            world.dead.clear()
            gc.enable()
        return world, trace, error
