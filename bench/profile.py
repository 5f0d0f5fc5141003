"""Where a token's and a request's CPU goes: `python -m bench profile`.

py-spy samples the server from outside while a load runs; each sample belongs to the first stage below whose mark its
stack holds, read from the innermost call outwards. A thread's samples are weighted with the CPU time the kernel says
it used, so that a thread which only waits counts nothing, however often it was seen waiting.
"""

import argparse
import asyncio
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import loads
from bench.loads import Load
from bench.report import circumstances
from bench.servers import Server, running, upstream

WRITER = "log-commit"
STAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("socket write", ("server/transport.py", "tcp.py")),
    ("upstream: aiohttp", ("aiohttp/", "multidict/", "yarl/")),
    ("upstream: SSE decoder", ("Decoder.",)),
    ("upstream: deadlines (asyncio.timeout)", ("asyncio/timeouts.py",)),
    ("upstream: bytes to chunks, JSON", ("providers/connection.py", "providers/arrival.py", "providers/body.py")),
    ("upstream: provider", ("providers/gemini.py", "providers/openai.py")),
    ("upstream: policy, shape, catalogue", ("chat/providers/",)),
    ("log: SQLite, on the loop", ("chat/log/sqlite_commit.py", "chat/log/sql.py")),
    ("log: hand over to the writer", ("Tail.append", "chat/log/group_commit.py", "Condition.notify")),
    ("log: told of the commit, wake", ("chat/log/batch.py", "Append.done", "Tail.committed", "announce", "live.py")),
    ("turn: answer, encode as JSON", ("chat/turns/turn.py", "chat/protocol/answer.py", "chat/protocol/events.py")),
    ("wire: encode as SSE", ("chat/views/event_stream.py", "chat/protocol/sse.py")),
    ("follow", ("chat/log/follow.py", "chat/log/eventlog.py")),
    ("request: who asks", ("chat/accounts/tokens.py", "jwt/", "rest_framework_simplejwt/")),
    ("request: limits", ("chat/limits.py", "limits/")),
    (
        "request: view, body, start",
        ("chat/views/", "chat/turns/runner.py", "chat/protocol/request.py", "chat/turns/start.py"),
    ),
    ("server: request and response", ("wondercam/server/",)),
    ("Django, asgiref, middleware", ("django/", "asgiref/", "corsheaders/", "wondercam/", "channels/")),
    ("Twisted, Daphne", ("twisted/", "daphne/")),
)
WRITING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("writer: waiting, taking over", ("GroupCommit._next_batch",)),
    ("writer: the turn's beginning (ORM)", ("Start.store", "Job.run")),
    ("writer: the turn's end (ORM)", ("write_ending",)),
    ("writer: INSERT of events", ("write_events",)),
    ("writer: COMMIT", ("Atomic.__exit__",)),
    ("writer: BEGIN", ("Atomic.__enter__",)),
    ("writer: telling the loop", ("_settle",)),
)


def stage_of(thread: str, frames: list[str]) -> str:
    """The stage that a stack, outermost call first, belongs to."""
    if WRITER in thread:
        return next((name for name, marks in WRITING if any(m in f for f in frames for m in marks)), "writer: the rest")
    if frames and ("Worker.run" in frames[-1] or "run_until_complete" in frames[-1] or "run (asyncio" in frames[-1]):
        return "loop: poll, read sockets, call back"
    for frame in reversed(frames):
        for name, marks in STAGES:
            if any(mark in frame for mark in marks):
                return f"threads for sync calls: {name}" if "executor" in thread else name
    return "threads for sync calls" if "executor" in thread else "the rest"


def threads_cpu(pid: int) -> dict[str, float]:
    """Seconds of CPU of each thread of `pid`, by its system id."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue
    return found


def shares(raw: Path, used: dict[str, float]) -> dict[str, float]:
    """CPU seconds by stage, from py-spy's raw stacks and each thread's CPU seconds."""
    stacks: dict[str, Counter[str]] = {}
    for line in raw.read_text().splitlines():
        stack, _, seen = line.rpartition(" ")
        thread, *frames = stack.split(";")
        number = thread.split("(")[-1].split(")")[0] if "(" in thread else thread
        stacks.setdefault(number, Counter())[stage_of(thread, frames)] += int(seen)
    found: dict[str, float] = {}
    for number, counted in stacks.items():
        for name, count in counted.items():
            found[name] = found.get(name, 0.0) + used.get(number, 0.0) * count / counted.total()
    return found


async def watch(server: Server, load: Load, upstream_pid: int, folder: Path) -> tuple[dict[str, float], float]:
    """CPU seconds by stage while `load` runs, and what it did: its events (steady) or requests."""
    steady = load.events > 2
    running_load = asyncio.ensure_future(loads.run(server, load, upstream_pid))
    await asyncio.sleep(load.ramp + load.settle if steady else 0.5)
    seconds = (load.life - load.ramp - load.settle if steady else load.ramp) - 1
    raw = folder / "stacks"
    before = threads_cpu(server.pid)
    argv = ["-r", "400", "-t", "--nonblocking", "-d", str(int(seconds)), "-f", "raw", "-o", str(raw)]
    spy = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "py-spy"), "record", "-p", str(server.pid), *argv, stdout=-3, stderr=-3
    )
    await spy.wait()
    after = threads_cpu(server.pid)
    result = await running_load
    done = (result.events_per_second or 0) * int(seconds) if steady else load.per_second * int(seconds)
    return shares(raw, {number: cpu - before.get(number, 0) for number, cpu in after.items()}), done


def table(title: str, found: dict[str, float], done: float) -> str:
    """One stage a row, µs each."""
    total = sum(found.values())
    dearest = sorted(found.items(), key=lambda each: -each[1])
    rows = [f"| {name} | {cpu / done * 1e6:,.1f} | {cpu / total:.1%} |" for name, cpu in dearest if cpu]
    head = [f"| {title} | µs of CPU | share |", "| --- | ---: | ---: |"]
    return "\n".join([*head, *rows, f"| **all** | **{total / done * 1e6:,.0f}** | |", ""])


async def stages(given: argparse.Namespace, log: Path) -> int:
    """Print both tables."""
    facts = circumstances()
    print(f"{facts['machine']}; {facts['date']}; commit {facts['commit']}\n")
    key = given.servers or "sqlite"
    for title, load in (
        ("a token, 100 streams × 20/s", replace(loads.STEADY, events=260)),
        ("a request with two events, 40 a second", replace(loads.REQUESTS, streams=400)),
    ):
        with upstream() as (address, pid), running(key, address, log) as server, TemporaryDirectory() as folder:
            await loads.warm(server, pid)
            print(table(title, *await watch(server, load, pid, Path(folder))))
    return 0
