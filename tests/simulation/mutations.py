"""Faults that the simulation must find, and a run that shows whether it does.

Each is a replacement of text in one module, in a copy of the project; any invariant that fails has found it.
A simulation that passes on broken code proves nothing: that is what this list is for.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
COPIED = ("chat", "wondercam", "templates", "static", "tests/simulation", "tests/__init__.py", "pyproject.toml")


class Mutation(NamedTuple):
    """`old` becomes `new` in a file of `chat/`, and in another one with `also`, where either alone does no harm."""

    name: str
    file: str
    old: str
    new: str
    also: tuple[str, str, str] | None = None

    def edits(self) -> list[tuple[str, str, str]]:
        """(file, old, new) of each."""
        return [(self.file, self.old, self.new), *([self.also] if self.also else [])]


MUTATIONS = (
    Mutation(
        "the loop commits while the thread has work",
        "log/group_commit.py",
        "if not batch or own is None or self._ahead or self._in_flight:",
        "if not batch or own is None or self._in_flight:",
    ),
    Mutation(
        "after a batch of the thread's the loop commits first, and tells of the batch then",
        "log/group_commit.py",
        "        settle(works, error)\n        self._outstanding = max",
        "        self._ahead -= self._first_of(works)\n        self._flush()\n"
        "        self._ahead += self._first_of(works)\n        settle(works, error)\n        self._outstanding = max",
    ),
    Mutation(
        "what was gathered before a job is forgotten",
        "log/group_commit.py",
        "return [*gathered, *behind] if behind else gathered",
        "return list(behind)",
    ),
    Mutation(
        "a try whose answer was lost is not looked for",
        "log/group_commit.py",
        "self._write(_unstored(batch) if refused else batch)",
        "self._write(batch)",
    ),
    Mutation(
        "after a failed append the rest of its stream is stored",
        "log/batch.py",
        "if work.row is not None and work.failure is None:",
        "if work.row is not None:",
    ),
    Mutation(
        "an append names no epoch, and what stands in its place is taken for it",
        "log/fence.py",
        "AND s.epoch = n.column5 AND s.status = 'running'\",\n",
        '",\n',
        ("log/group_commit.py", "found.get(work.row[1]) != work.row[3]", "work.row[1] not in found"),
    ),
    Mutation(
        "who takes a stream over keeps its epoch",
        "log/takeover.py",
        "epoch, now = row[0] + 1,",
        "epoch, now = row[0],",
    ),
    Mutation(
        "who is told to stop hands nothing over",
        "turns/drain.py",
        "HANDED_OVER if await may_go_on_elsewhere(turn) else events.INTERRUPTED",
        "events.INTERRUPTED",
    ),
    Mutation(
        "a page that was cut off says that it is whole",
        "log/pages.py",
        "more=not ended and (size > PAGE_BYTES or len(found) == PAGE_ROWS)",
        "more=False",
    ),
    Mutation(
        "a page of a stream that has ended is taken for its last",
        "log/pages.py",
        "row[0] != events.RUNNING and last >= row[1]",
        "row[0] != events.RUNNING",
    ),
    Mutation(
        "a reader that misses exactly one event gets none",
        "log/tail.py",
        "if missed <= 0:",
        "if missed <= 1:",
    ),
    Mutation(
        "a tail is read beyond its beginning",
        "log/tail.py",
        "if after + 1 < held[0].seq or self.gone:",
        "if after + 2 < held[0].seq or self.gone:",
    ),
    Mutation(
        "a call to look between the look and the wait is forgotten",
        "log/subscriber.py",
        "        if self._woken:\n            waiter.set_result(None)\n            return waiter\n",
        "",
    ),
    Mutation(
        "only the first reader is told",
        "log/tail.py",
        "                subscriber.wake()\n        if self.followed",
        "                subscriber.wake()\n            break\n        if self.followed",
    ),
    Mutation(
        "readers stay with the process that wrote the stream before",
        "log/eventlog.py",
        "for subscriber in self._elsewhere.pop(stream_id, ()):",
        "for subscriber in self._elsewhere.get(stream_id, ()):",
    ),
    Mutation(
        "a snapshot holds what is not stored",
        "turns/turn.py",
        "if self.tail.pending or self.tail.error is not None or self._held is not None or self._ending:",
        "if self._held is not None or self._ending:",
    ),
    Mutation(
        "a question that is sent again is asked again",
        "turns/start.py",
        "            self.ask.request_id,\n",
        "            None,\n",
    ),
    Mutation(
        "a queued message that was begun stays in the queue",
        "turns/next_message.py",
        "QueuedMessage.objects.filter(pk=row.pk).delete()",
        "QueuedMessage.objects.filter(pk=None).delete()",
    ),
    Mutation(
        "a queued message follows any end",
        "turns/message_queue.py",
        "is_time = row.now or _status(row.waits_for) == events.COMPLETE",
        "is_time = row.now or _status(row.waits_for) != events.RUNNING",
    ),
    Mutation(
        "nobody looks for queued messages of dead processes",
        "turns/next_message.py",
        "return [conversation for conversation, _, ready in found if ready]",
        "return []",
    ),
    Mutation(
        "nobody looks for leases that have lapsed",
        "turns/leases.py",
        "seen.looks += 1",
        "seen.looks += 0",
    ),
    Mutation(
        "a lease lapses at the first look",
        "turns/leases.py",
        "if seen.looks > LOOKS]",
        "if seen.looks > 0]",
    ),
    Mutation(
        "nobody renews leases",
        "turns/runner.py",
        "await self._renew(self.running())",
        "self.running()",
    ),
)


class Result(NamedTuple):
    """What became of a mutation."""

    mutation: Mutation
    found: bool
    said: str


def copy_with(mutation: Mutation, folder: Path) -> None:
    """The project in `folder`, with the mutation. Raises ValueError where its text is not there exactly once."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in ("static", "templates"):
            target.symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "weights", "locale"))
        else:
            shutil.copy(source, target)
    for name, old, new in mutation.edits():
        file = folder / "chat" / name
        text = file.read_text()
        if text.count(old) != 1:
            raise ValueError(f"{name} has not this text once: {old!r} ({mutation.name})")
        file.write_text(text.replace(old, new))


def tried(mutation: Mutation, ticks: int, each: int) -> Result:
    """Run the simulation on the mutated copy."""
    with tempfile.TemporaryDirectory(prefix="wondercam-mutation-") as folder:
        copy_with(mutation, Path(folder))
        command = [sys.executable, "-m", "tests.simulation", "--ticks", str(ticks), "--ticks-each", str(each)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    failed = re.search(r"^seed .* failed after .*$", done.stdout, re.MULTILINE)
    said = failed.group() if failed else (done.stdout + done.stderr).strip()[-300:]
    return Result(mutation, failed is not None, said)


def main(ticks: int, each: int, pattern: str = "", at_once: int = 2) -> int:
    """Try all whose name has `pattern` in it; 0 where each was found."""
    chosen = [mutation for mutation in MUTATIONS if pattern in mutation.name]
    missed = 0
    with ThreadPoolExecutor(at_once) as pool:
        for done in as_completed([pool.submit(tried, mutation, ticks, each) for mutation in chosen]):
            result = done.result()
            missed += not result.found
            print(
                f"{'found ' if result.found else 'MISSED'}  {result.mutation.name}\n        {result.said}", flush=True
            )
    print(f"{len(chosen) - missed} of {len(chosen)} mutations found")
    return int(missed > 0)
