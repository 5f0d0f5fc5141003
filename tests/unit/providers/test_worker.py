"""`RecognitionWorker`: the process is reused, and killed when it is late, broken, idle or cancelled."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from chat.protocol import errors
from chat.providers.vision.worker import RecognitionWorker

FAKE = "tests.fakes.recogniser"
Make = Callable[..., RecognitionWorker]


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    """Workers of the fake program, closed at the end."""
    made: list[RecognitionWorker] = []

    def worker(seconds: float = 20, program: str = FAKE, **options: float) -> RecognitionWorker:
        made.append(RecognitionWorker(seconds, program=program, **options))
        return made[-1]

    yield worker
    for each in made:
        await each.close()


def which(worker: RecognitionWorker) -> int:
    """The process that it has, 0 without one."""
    return worker._process.pid if worker._process else 0


async def test_photos_are_looked_at_by_one_process(make: Make) -> None:
    worker = make()
    first, second = await asyncio.gather(worker.recognise(b"one"), worker.recognise(b"two"))
    assert [first.lines, second.lines] == [["photo 1 of this process"], ["photo 2 of this process"]]
    assert first.complete
    assert first.things[0]["name"] == "dog"


@pytest.mark.slow
async def test_what_was_seen_in_time_is_kept_and_the_process_is_not(make: Make) -> None:
    worker, begun = make(4), time.monotonic()
    seen = await worker.recognise(b"endless")
    assert time.monotonic() - begun < 50
    assert (seen.complete, seen.things[0]["name"], seen.lines) == (False, "dog", [])
    assert which(worker) == 0
    assert (await worker.recognise(b"another")).lines == ["photo 1 of this process"]


async def test_a_reader_that_goes_away_leaves_no_process_at_work(make: Make) -> None:
    worker = make()
    await worker.recognise(b"one")
    process = worker._process
    assert process is not None
    looking = asyncio.ensure_future(worker.recognise(b"endless"))
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert await asyncio.wait_for(process.wait(), 60) < 0


async def test_a_file_that_is_no_photo_is_refused_and_the_process_goes_on(make: Make) -> None:
    worker = make()
    with pytest.raises(errors.InvalidArgument):
        await worker.recognise(b"junk")
    assert (await worker.recognise(b"one")).complete


async def test_a_photo_that_ends_the_process_fails_alone(make: Make) -> None:
    worker = make()
    with pytest.raises(errors.Unavailable):
        await worker.recognise(b"ends the process")
    assert (await worker.recognise(b"one")).complete


async def test_a_program_that_does_not_start_is_unavailable(make: Make) -> None:
    worker = make(program="tests.fakes.no_such_program")
    with pytest.raises(errors.Unavailable):
        await worker.recognise(b"one")


async def test_a_program_that_takes_too_long_to_load_is_unavailable(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.providers.vision.worker.LOAD_SECONDS", 0.001)
    worker = make()
    with pytest.raises(errors.Unavailable, match="could not be looked at"):
        await worker.recognise(b"one")
    assert which(worker) == 0


@pytest.mark.slow
async def test_an_idle_process_is_ended(make: Make) -> None:
    worker = make(idle=1)
    await worker.recognise(b"one")
    process = worker._process
    assert process is not None
    assert await asyncio.wait_for(process.wait(), 60) < 0
    assert (await worker.recognise(b"two")).lines == ["photo 1 of this process"]


@pytest.mark.slow
async def test_what_is_closed_leaves_no_process_and_no_pipe_behind() -> None:
    worker = RecognitionWorker(3, program=FAKE)
    await worker.recognise(b"one")
    first = worker._process
    await worker.recognise(b"endless")
    await worker.close()
    assert first is not None
    assert first.returncode is not None
    assert first.stdout is not None
    assert first.stdout.at_eof()
