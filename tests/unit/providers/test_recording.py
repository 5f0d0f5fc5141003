"""The provider `recording`: the same events, pace and end as recorded."""

import time
from pathlib import Path

import pytest

from chat.protocol import errors, events, recording
from chat.protocol.events import Event
from tests.catalogue import providers
from tests.unit.providers.conftest import ONCE, ask


def record(folder: Path, name: str, *steps: tuple[int, events.Response]) -> None:
    """Write a recording of these events after the first one."""
    told = [Event(0, 0, events.OK_DATA)]
    told += [Event(seq, at, events.encode(response)) for seq, (at, response) in enumerate(steps, 1)]
    (folder / f"{name}.jsonl").write_text("".join(recording.dump({}, told)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three recordings: one that ends well, one that failed, one that is cut."""
    words = [(100_000 * place, events.delta(word)) for place, word in enumerate(["One ", "two ", "three."], 1)]
    record(tmp_path, "whole", *words, (400_000, events.finish("STOP", {"totalTokenCount": 3})))
    record(tmp_path, "failed", words[0], (200_000, events.failure(errors.Unavailable("Gone."))))
    record(tmp_path, "cut", words[0])
    return tmp_path


def configure(folder: Path, speed: str) -> None:
    """Every recording of the folder."""
    given = {"WONDERCAM_RECORDINGS": str(folder), "WONDERCAM_RECORDING_SPEED": speed}
    providers.configure({**ONCE, "WONDERCAM_MODELS": "recording/*", **given})


@pytest.mark.parametrize(("speed", "least"), [("1", 0.4), ("4", 0.1), ("0", 0.0)])
async def test_a_recording_plays_at_its_pace(folder: Path, speed: str, least: float) -> None:
    configure(folder, speed)
    start = time.monotonic()
    outcome = await ask("recording/whole")
    assert least <= time.monotonic() - start
    assert (outcome.text, outcome.reason, outcome.error) == ("One two three.", "STOP", None)
    assert len(outcome.responses) == 4


async def test_a_recorded_failure_is_the_failure_that_it_was(folder: Path) -> None:
    configure(folder, "0")
    outcome = await ask("recording/failed")
    assert outcome.text == "One "
    assert isinstance(outcome.error, errors.Unavailable)
    assert outcome.error.message.startswith("Gone. Try again")


async def test_a_recording_that_is_cut_is_a_truncated_answer(folder: Path) -> None:
    configure(folder, "0")
    outcome = await ask("recording/cut")
    assert outcome.text == "One "
    assert isinstance(outcome.error, errors.Truncated)


async def test_a_recording_that_has_gone_is_not_found(folder: Path) -> None:
    configure(folder, "0")
    (folder / "cut.jsonl").unlink()
    assert isinstance((await ask("recording/cut")).error, errors.NotFound)
