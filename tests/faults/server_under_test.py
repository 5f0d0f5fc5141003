"""One server of the kill loop, and one round on it: streams and readers, a kill -9 at some moment, the reckoning."""

import asyncio
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chat.protocol import events
from tests.equality import check_log, conversation_text, query
from tests.faults.arena import environment, guest, until, workers_of
from tests.faults.reader import Reader
from tests.faults.upstream import Script
from tests.servers.wondercam import WonderCam, manage, settings

ENDS = (events.COMPLETE, events.INTERRUPTED)
HANG = 200
"""Seconds after which a round hangs: a dead worker's turns are to be found within 30."""


class Killable(WonderCam):
    """A server whose killed workers are replaced at once."""

    def _command(self) -> list[str]:
        return ["-m", "tests.faults.server", "serve", *self._options]


@dataclass
class ServerUnderTest:
    """A server with its database, and what was counted on it."""

    name: str
    server: Killable
    counts: Counter[str]
    silences: list[float] = field(default_factory=list)

    @classmethod
    async def open(
        cls, name: str, folder: Path, template: Path, model: str, more: Mapping[str, str]
    ) -> "ServerUnderTest":
        """Start a server with two workers on a new database."""
        env = settings(folder, environment(model, **more))
        if "DATABASE_URL" in env:
            await asyncio.to_thread(manage, "migrate", "--noinput", "--verbosity", "0", env=env)
        else:
            shutil.copy(template, folder / "wondercam.sqlite3")
        return cls(name, await asyncio.to_thread(Killable, env, 2, ()), Counter())

    async def run(self, seeds: Sequence[int]) -> None:
        """A round for each seed; a failure names the seed, and what the server said."""
        for seed in seeds:
            try:
                async with asyncio.timeout(HANG):
                    await self.round(seed)
            except Exception as error:
                log = "\n".join(self.server.log.splitlines()[-40:])
                raise AssertionError(
                    f"round {seed} on {self.name} failed: {error!r}\nalone: WONDERCAM_TEST_SEED={seed}\n{log}"
                ) from error

    async def round(self, seed: int) -> None:
        """Two to four streams with two to four readers each, one kill, and the reckoning."""
        dice = random.Random(seed)
        token = await guest(self.server.url)
        scripts = [
            Script(dice.randrange(10**6), dice.randint(5, 60), dice.choice([0, 1, 3, 8]))
            for _ in range(dice.randint(2, 4))
        ]
        askers = [Reader(self.server.url, token) for _ in scripts]
        questions = [f"seed={script.seed} words={script.words} gap={script.gap:g}" for script in scripts]
        async with asyncio.TaskGroup() as group:
            for asker, question in zip(askers, questions, strict=True):
                group.create_task(asker.ask(question))
            joined = [group.create_task(self.join(asker, dice.random() * 0.3)) for asker in askers for _ in range(2)]
            group.create_task(self.kill(dice))
        readers = [task.result() for task in joined]
        for asker, script in zip(askers, scripts, strict=True):
            mine = [reader for reader in readers if reader.stream_id == asker.stream_id]
            await self.reckon(asker, mine, script)
        [(streams,)] = query(self.server, "SELECT count(*) FROM chat_stream WHERE user_id = ?", self.holder(askers[0]))
        assert streams == len(askers), "a question was answered twice"
        self.counts["rounds"] += 1

    def holder(self, asker: Reader) -> int:
        """The id of the user who asked."""
        return int(query(self.server, "SELECT user_id FROM chat_stream WHERE id = ?", asker.stream_id)[0][0])

    async def join(self, asker: Reader, delay: float) -> Reader:
        """Another reader of the same stream, from its beginning, some time after it is known."""
        await until(lambda: asker.stream_id, "the stream is known", HANG)
        await asyncio.sleep(delay)
        reader = asker.joined()
        await reader.follow()
        return reader

    async def kill(self, dice: random.Random) -> None:
        """After a moment: one worker, both, or the whole server, which is then started again."""
        await asyncio.sleep(dice.random() * 0.4)
        whom = dice.choices(["one", "both", "all"], [6, 3, 1])[0]
        self.counts["kills"] += 1
        if whom == "all":
            await asyncio.to_thread(self.server.kill9)
            await asyncio.to_thread(self.server.restart)
            return
        workers = workers_of(self.server)
        for pid in dice.sample(workers, 1 if whom == "one" else len(workers)):
            os.kill(pid, signal.SIGKILL)

    async def reckon(self, asker: Reader, readers: list[Reader], script: Script) -> None:
        """Nothing lost, doubled or reordered; one text for all, which is the model's as far as it came; one end."""
        log = check_log(self.server, asker.stream_id)
        kept = {event.seq: event.data for event in log}
        for reader in [asker, *readers]:
            self.counts["events"] += len(reader.shown)
            self.counts["lost"] += len(reader.shown.items() - kept.items()) + len(kept.keys() - reader.shown.keys())
            self.counts["doubled"] += sum("doubled" in fault for fault in reader.faults)
            self.counts["reordered"] += sum("reordered" in fault for fault in reader.faults)
            assert reader.faults == []
            assert reader.shown == kept
        self.counts["picked up"] += sum(events.PICKED_UP in event.data for event in log)
        self.silences += [asker.silence]
        text = events.answer_text(log)
        assert await conversation_text(self.server, asker.token, asker.stream_id) == text
        self.counts[asker.end] += 1
        assert script.text.startswith(text)
        assert asker.end in ENDS
        assert asker.end != events.COMPLETE or text == script.text


def summary(servers: Sequence[ServerUnderTest]) -> str:
    """The line that `make soak` prints."""
    total = sum((each.counts for each in servers), Counter[str]())
    words = ["rounds", "kills", "events", "lost", "doubled", "reordered", *ENDS, "picked up"]
    silences = sorted(silence for each in servers for silence in each.silences) or [0.0]
    silent = f"longest silence of an asker {silences[-1]:.1f} s, p99 {silences[len(silences) * 99 // 100]:.1f} s"
    return "kill loop: " + ", ".join(f"{word} {total[word]:,}" for word in words) + f"; {silent}"
