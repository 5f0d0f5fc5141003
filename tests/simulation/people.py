"""Those who ask, queue, stop and read: clients that see no more of the processes than what these answer.

Whoever gets no answer asks again, at another process, with the same `request_id`. Readers come back with their cursor.
What they were told and shown is held against the ledger, at once and at the end.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import InterfaceError, OperationalError

from chat.log.takeover import MOST_WORKERS
from chat.models import Conversation, Stream, User
from chat.protocol import events
from chat.protocol.errors import ApiError, ResourceExhausted
from chat.protocol.request import Ask
from tests.simulation.ledger import Known
from tests.simulation.promptness import TO_BE_SENT
from tests.simulation.readers import FeedReader, Reader

if TYPE_CHECKING:
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

LOST = "lost"
"""What a client knows of a call whose process died, or did not answer in time."""

EXPECTED = (ApiError, OperationalError, InterfaceError, asyncio.CancelledError)
PATIENCE = 30.0


class Question:
    """One question, from its first sending until it is known to be stored; queued behind an answer or asked at once."""

    def __init__(self, people: "People", text: str, conversation: str | None, queued: bool, key: str | None) -> None:
        self.text, self.conversation, self.queued, self.key = text, conversation, queued, key
        self.number = int(text.split()[0])
        self.confirmed = self.over = self.withdrawn = False
        self.first_sent, self.confirmed_at = people.world.now, float("inf")
        self.message: UUID | None = None
        self._people = people
        self._world = people.world

    def send(self) -> None:
        """Send it to some process."""
        worker = self._world.people.some_worker()
        if worker is None:
            return self._world.at(1.0, self.send)
        self._people.call(worker, self._ask(worker), self._answered, PATIENCE)

    async def _ask(self, worker: "Worker") -> Any:
        conversation = UUID(self.conversation) if self.conversation else None
        contents = [{"text": self.text}]
        if self.queued:
            ask = Ask(contents, request_id=self.key)
            return await worker.turns.queues.add(self._people.user, Conversation(pk=conversation), ask)
        ask = Ask(contents, conversation_id=conversation, request_id=self.key)
        return await worker.turns.start(self._people.user, ask, self._world.now)

    def _answered(self, result: Any) -> None:
        self._world.say(f"question {self.number}: {type(result).__name__}")
        if isinstance(result, Stream | UUID):
            self.confirmed = self.over = True
            self.confirmed_at = self._world.now
            self._people.confirm(self, result)
        elif self.key is None or isinstance(result, ResourceExhausted):
            self.over = True  # without a key it must not be sent again: whether it was stored is not known
        else:
            self._world.at(self._world.random.uniform(0.1, 3.0), self.send)


class People:
    """All clients of a world."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.user: User = User.objects.get(username="ann")
        self.questions: dict[str, Question] = {}
        self.readers: list[Reader] = []
        self.feeds: list[FeedReader] = []
        self._conversations: dict[str, list[str]] = {}
        self._answers: dict[str, list[Known]] = {}
        self._first_sent: set[str] = set()
        self._ended_at: dict[str, float] = {}
        self._pause = world.random.choice((0.1, 0.3, 0.7))
        self._numbers = itertools.count(1)
        self._calls = itertools.count(1)

    def begin(self) -> None:
        """From now on they ask."""
        for _ in range(self.world.random.randint(0, 2)):
            feed = FeedReader(self.world)
            self.feeds.append(feed)
            feed.connect()
        self._plan()

    def _plan(self) -> None:
        def act() -> None:
            if not self.world.is_healed():
                self._act()
                self._plan()

        self.world.at(self.world.random.expovariate(1 / self._pause), act)

    def _act(self) -> None:
        acts: tuple[Callable[[], None], ...] = (
            self._ask,
            self._ask,
            self._queue,
            self._queue,
            self._queue,
            self._stop,
            self._first,
            self._withdraw,
            self._read,
            self._read,
        )
        if len(self.world.ledger.running) > 12:
            acts = acts[-5:]
        self.world.random.choice(acts)()

    # What they do

    def _text(self) -> str:
        random = self.world.random
        size = random.choice((0, 0, 0, 0, 200, 30_000))
        return f"{next(self._numbers)} {random.choice((1, 3, 12, 40))} {size}"

    def _ask(self) -> None:
        random = self.world.random
        free = [key for key in self._conversations if not self._runs_in(key) and not self._has_queue(key)]
        conversation = random.choice(free) if free and random.random() < 0.3 else None
        self._send(conversation, queued=False)

    def _queue(self) -> None:
        running = [self.world.ledger.streams[id].conversation for id in sorted(self.world.ledger.running)]
        if running:
            self._send(self.world.random.choice(running), queued=True)

    def _send(self, conversation: str | None, queued: bool) -> None:
        text = self._text()
        key = f"key {text}" if self.world.random.random() < 0.7 else None
        question = self.questions[text] = Question(self, text, conversation, queued, key)
        question.send()

    def _stop(self) -> None:
        if running := sorted(self.world.ledger.running):
            self._on(self._stop_there, UUID(self.world.random.choice(running)))

    async def _stop_there(self, worker: "Worker", id: UUID) -> None:
        await worker.turns.stop(await Stream.objects.aget(pk=id))
        self.world.promptness.stops.setdefault(id, self.world.now)

    def _waiting(self) -> list[Question]:
        return [each for each in self.questions.values() if each.message and not self._streams_of(each.text)]

    def _first(self) -> None:
        if waiting := self._waiting():
            question = self.world.random.choice(waiting)
            self._first_sent.add(question.conversation or "")
            self._on(self._first_there, question)

    async def _first_there(self, worker: "Worker", question: Question) -> None:
        conversation = Conversation(pk=UUID(question.conversation))
        for stream in await worker.turns.queues.put_first(self.user, conversation, question.message):  # type: ignore[arg-type]
            await worker.turns.stop(stream)

    def _withdraw(self) -> None:
        if waiting := self._waiting():
            question = self.world.random.choice(waiting)
            question.withdrawn = True
            self._on(self._withdraw_there, question)

    async def _withdraw_there(self, worker: "Worker", question: Question) -> None:
        conversation = Conversation(pk=UUID(question.conversation))
        await worker.turns.queues.remove(self.user, conversation, question.message)  # type: ignore[arg-type]

    def _read(self) -> None:
        known = list(self.world.ledger.streams)[-20:]
        if known:
            self.read(UUID(self.world.random.choice(known)))

    def read(self, stream: UUID) -> None:
        """One more reader of a stream."""
        reader = Reader(self.world, stream)
        self.readers.append(reader)
        reader.connect()

    # How they reach a process

    def some_worker(self) -> "Worker | None":
        """One that takes requests, as far as anybody outside knows."""
        serving = [worker for worker in self.world.workers if worker.serving]
        return self.world.random.choice(serving) if serving else None

    def _on(self, what: Callable[..., Coroutine[Any, Any, None]], *given: Any) -> None:
        worker = self.some_worker()
        if worker is not None:
            self.call(worker, what(worker, *given), lambda result: None, PATIENCE)

    def call(
        self, worker: "Worker", work: Coroutine[Any, Any, Any], done: Callable[[Any], None], seconds: float
    ) -> "asyncio.Task[Any]":
        """Have a process do something; `done` is called once, with the result, the error, or LOST."""
        number = next(self._calls)
        task = worker.spawn(work)

        def over(result: Any) -> None:
            if worker.calls.pop(number, None) is not None:
                if isinstance(result, BaseException) and not isinstance(result, EXPECTED):
                    self.world.violated(f"{worker.name} answers with {result!r}")
                self.world.at(0.0, lambda: done(result))

        def finished(task: "asyncio.Task[Any]") -> None:
            over(asyncio.CancelledError() if task.cancelled() else task.exception() or task.result())

        worker.calls[number] = lambda: over(LOST)
        task.add_done_callback(finished)
        if seconds < 1e9:
            self.world.at(seconds, lambda: over(LOST))
        return task

    # What they see

    def confirm(self, question: Question, result: Any) -> None:
        """A process says that the question is stored."""
        self.world.ledger.look()
        if question.queued:
            question.message = result
        elif result.pk.hex not in self.world.ledger.streams:
            self.world.violated(f"question {question.number} was confirmed, and is not stored")
        else:
            for _ in range(self.world.random.randint(1, 3)):
                self.read(result.pk)

    def changed(self, known: Known) -> None:
        """A stream began, or ended."""
        order = self._conversations.setdefault(known.conversation, [])
        if known.id in order:
            return self._ended(known)
        answers = self._answers.setdefault(known.question, [])
        answers.append(known)
        if len(answers) > 1:
            self.world.violated(f"question {known.question!r} is answered twice")
        question = self.questions[known.question]
        if question.queued:
            self._check_place(known, question, order)
        order.append(known.id)

    def _ended(self, known: Known) -> None:
        self._ended_at[known.id] = self.world.now
        if self.world.is_calm() and (known.status == events.INTERRUPTED or known.epoch != 2):
            self.world.violated(
                f"stream {known.id} was {known.status} in epoch {known.epoch}, and nothing had happened"
            )
        if self.world.is_handing_over() and known.status == events.INTERRUPTED and known.epoch <= MOST_WORKERS:
            [(stop,)] = self.world.ledger.query("SELECT stop_requested_at FROM chat_stream WHERE id = ?", known.id)
            if stop is None:
                self.world.violated(f"stream {known.id} was interrupted in place of being handed over")

    def _check_place(self, known: Known, question: Question, order: list[str]) -> None:
        streams = self.world.ledger.streams
        if any(streams[id].status == events.RUNNING for id in order):
            self.world.violated(f"queued question {question.number} begins while an answer runs")
        asked_beside = any(
            not each.queued and each.conversation == known.conversation for each in self.questions.values()
        )
        if known.conversation in self._first_sent or asked_beside:
            return  # then what it waits for need not be the newest answer
        before = [self.questions[streams[id].question] for id in order]
        if streams[order[-1]].status != events.COMPLETE and question.confirmed_at < self._ended_at[order[-1]]:
            self.world.violated(
                f"queued question {question.number} follows an answer that is {streams[order[-1]].status}"
            )
        if any(each.queued and each.first_sent > question.confirmed_at for each in before):
            self.world.violated(f"queued question {question.number} comes after a later one")

    def _streams_of(self, text: str) -> list[Known]:
        return self._answers.get(text, [])

    def _runs_in(self, conversation: str) -> bool:
        streams = self.world.ledger.streams
        return any(streams[id].status == events.RUNNING for id in self._conversations[conversation])

    def _has_queue(self, conversation: str) -> bool:
        return any(each.queued and each.conversation == conversation for each in self.questions.values())

    # At the end

    def is_over(self) -> bool:
        """Whether everything that was begun has ended."""
        return not self.open()

    def open(self) -> list[str]:
        """What has not."""
        found = [f"question {each.number} is not answered" for each in self.questions.values() if not each.over]
        found += [f"stream {id} runs" for id in sorted(self.world.ledger.running)]
        found += [str(reader) for reader in self.readers if not reader.ended]
        found += [str(feed) for feed in self.feeds if not feed.has_all()]
        if not found:
            found += [f"queued message {row[0]} is to be sent" for row in self.world.ledger.query(TO_BE_SENT)]
        return found

    def check(self) -> None:
        """What was confirmed is there, once."""
        waiting = {row[0] for row in self.world.ledger.query("SELECT id FROM chat_queuedmessage")}
        for question in self.questions.values():
            streams = len(self._streams_of(question.text))
            waits = question.message is not None and question.message.hex in waiting
            if streams + waits > 1:
                self.world.violated(f"question {question.number} was answered, and waits to be")
            if question.confirmed and not question.withdrawn and streams + waits != 1:
                self.world.violated(f"question {question.number} was confirmed, and is lost")
