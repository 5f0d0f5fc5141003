"""Import of aimock's fixtures as streams, their export byte for byte, and the export of other streams as fixtures."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from chat.models import Stream
from chat.protocol import events
from tests.recorded import FAILED, HELLO, imported, run

pytestmark = pytest.mark.django_db

TIMINGS = {"ttftMs": 120, "interChunkDelaysMs": [30, 50], "totalDurationMs": 200}
RECORDED = {
    "match": {"userMessage": "Why is the sky blue? \u2028 🌍", "turnIndex": 0},
    "response": {"content": "Since air scatters blue light most. 🌍", "reasoning": "Rayleigh.", "finishReason": "stop"},
    "recordedTimings": TIMINGS,
    "metadata": {"systemHash": "abc"},
}


def file_of(tmp_path: Path, *fixtures: dict[str, Any]) -> Path:
    """A file as aimock's recorder writes it: JSON.stringify(…, null, 2)."""
    path = tmp_path / "fixture.json"
    said = "".join(str(fixture.get("response", {}).get("content")) for fixture in fixtures)
    has_half = "\ud83d" in said  # half a character, which JavaScript writes as an escape
    path.write_text(json.dumps({"fixtures": fixtures}, ensure_ascii=has_half, indent=2))
    return path


def told(stream: Stream) -> list[tuple[int, str, bool]]:
    """When what was said, and whether it was a thought."""
    rows = [
        (row.at, part) for row in stream.events.order_by("seq")[1:] for part in events.parts_of(events.decode(row.data))
    ]
    return [(at, part.get("text", ""), part.get("thought", False)) for at, part in rows]


def test_a_recorded_fixture_is_a_stream_of_its_chunks_at_their_times(tmp_path: Path) -> None:
    run("import_stream", file_of(tmp_path, RECORDED))
    stream = Stream.objects.get()
    assert told(stream) == [
        (120_000, "Rayleigh.", True),
        (150_000, "Since air scatters b", False),
        (200_000, "lue light most. 🌍", False),
    ]
    assert (stream.status, stream.provider, stream.conversation.title) == (
        "complete",
        "aimock",
        "Why is the sky blue? 🌍",
    )
    assert stream.answer.text == "Since air scatters blue light most. 🌍"
    assert stream.answer.parent.text == RECORDED["match"]["userMessage"]
    assert events.finish_reason(events.decode(stream.events.order_by("seq").last().data)) == "STOP"


def test_it_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = file_of(tmp_path, RECORDED)
    run("import_stream", path)
    run("export_stream", Stream.objects.get().pk, tmp_path / "again.json", "--aimock")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert run("replay_stream", path, "--speed", "0") == run("replay_stream", Stream.objects.get().pk, "--speed", "0")


def test_each_fixture_of_a_file_is_a_stream_all_of_them_or_none(tmp_path: Path) -> None:
    hello = {"match": {"userMessage": "hello"}, "response": {"content": "Hi!"}}
    bye = {"match": {"userMessage": "bye"}, "response": {"content": "Goodbye!"}, "latency": 5}
    path = file_of(tmp_path, hello, bye)
    lines = run("import_stream", path, "--json").splitlines()
    assert [json.loads(line)["events"] for line in lines] == [3, 3]
    assert {stream.answer.text for stream in Stream.objects.all()} == {"Hi!", "Goodbye!"}
    with pytest.raises(CommandError, match="none is ever overwritten"):
        run("import_stream", path)
    with pytest.raises(CommandError, match="holds 2 fixtures: import_stream stores each"):
        run("replay_stream", path)
    other = {"match": {"userMessage": "new"}, "response": {"content": "New."}}
    with pytest.raises(CommandError):
        run("import_stream", file_of(tmp_path, other, hello))
    assert Stream.objects.count() == 2


def test_calls_usage_profiles_and_errors_are_what_they_are_here(tmp_path: Path) -> None:
    call = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    called = {"match": {}, "response": {"toolCalls": [call], "usage": usage, "model": "gpt-4o"}, "latency": 7}
    profile = {"ttft": 200, "tps": 40}
    paced = {"match": {"model": "m"}, "response": {"content": "x" * 7}, "chunkSize": 3, "streamingProfile": profile}
    refused = {"match": {"userMessage": "no"}, "response": {"error": {"message": "Slow down."}, "status": 429}}
    run("import_stream", file_of(tmp_path, called, paced, refused))
    by_model = {stream.model: stream for stream in Stream.objects.all()}
    first = by_model["gpt-4o"]
    part = events.parts_of(events.decode(first.events.get(seq=1).data))[0]
    assert part == {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}}
    assert first.usage == {"promptTokenCount": 3, "candidatesTokenCount": 5}
    assert [row.at for row in first.events.order_by("seq")] == [0, 7_000, 14_000]
    assert [(at, text) for at, text, _ in told(by_model["m"])] == [(200_000, "xxx"), (225_000, "xxx"), (250_000, "x")]
    failed = by_model["fixture"]
    assert (failed.status, failed.error["code"], failed.error["message"]) == ("failed", 429, "Slow down.")


@pytest.mark.parametrize(
    "fixture",
    [
        {"match": {"inputText": "x"}, "response": {"embedding": [0.1]}},
        {"match": {"endpoint": "speech"}, "response": {"content": "x"}},
        {"match": {}, "response": {"blocks": [{"type": "text", "text": "x"}]}},
        {"match": {}, "response": {"content": "x"}, "recordedTimings": {"ttftMs": "soon"}},
        {"match": {}, "response": {"toolCalls": [{"name": "f", "arguments": "[1]"}]}},
        {"match": {}, "response": {"content": "a\0b"}},
        {"match": {}, "response": {"content": "a\ud83d"}},
        {},
    ],
)
def test_what_is_no_answer_in_words_is_refused_by_its_number(tmp_path: Path, fixture: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="fixture 2 cannot be a recording"):
        run("import_stream", file_of(tmp_path, RECORDED, fixture))
    assert not Stream.objects.exists()


@pytest.mark.parametrize("text", ['{"fixtures": []}', '{"fixtures": 7}', '{"other": 1}', '{"fixtures": [', "[]"])
def test_other_json_is_no_recording(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=r"not a WonderCam recording|not JSON"):
        run("import_stream", path)


def test_a_stream_of_ours_is_a_fixture_with_the_answer_and_its_times(tmp_path: Path) -> None:
    made = imported(HELLO)
    (fixture,) = json.loads(run("export_stream", made.pk, "--aimock"))["fixtures"]
    assert fixture["response"]["content"] == made.answer.text
    assert fixture["match"] == {"userMessage": made.answer.parent.text}
    timings = fixture["recordedTimings"]
    assert timings["ttftMs"] == round(made.events.get(seq=1).at / 1000)
    assert abs(timings["ttftMs"] + sum(timings["interChunkDelaysMs"]) - timings["totalDurationMs"]) <= len(
        timings["interChunkDelaysMs"]
    )
    made.conversation.delete()
    path = tmp_path / "ours.json"
    path.write_text(json.dumps({"fixtures": [fixture]}))
    run("import_stream", path)
    assert Stream.objects.get().answer.text == fixture["response"]["content"]


def test_a_stream_that_failed_is_an_error(tmp_path: Path) -> None:
    made = imported(FAILED)
    (fixture,) = json.loads(run("export_stream", made.pk, "--aimock"))["fixtures"]
    assert fixture["response"] == {"error": {"message": made.error["message"]}, "status": made.error["code"]}
