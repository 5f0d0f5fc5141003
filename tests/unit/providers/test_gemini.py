"""Faults of Gemini and compatible servers: a typed error in time, with the partial text."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from chat.protocol import errors, events
from chat.protocol.prompt import Prompt
from chat.protocol.sse import Decoder
from chat.providers import gemini as reader
from chat.providers import validation
from tests.catalogue import providers
from tests.fakes import gemini
from tests.fakes.server import Reply, Request, Server
from tests.unit.providers.conftest import HASTY, ONCE, Outcome, ask, responses

pytestmark = pytest.mark.servers

KEY = "AIza-very-secret"
PARTIAL = "".join(gemini.WORDS[:2])


@pytest.fixture
async def upstream() -> AsyncGenerator[Server, None]:
    """A fake Gemini with every behaviour configured as a model."""
    async with Server(gemini.play) as server:
        names = [*gemini.BODIES, *gemini.PLAYS, *gemini.STATUSES, *REASONS, "unknown"]
        models = ",".join(f"gemini/{name}" for name in names)
        providers.configure({**ONCE, "WONDERCAM_MODELS": models, "GEMINI_API_KEY": KEY, "GEMINI_BASE_URL": server.url})
        yield server


REASONS = [
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "NO_IMAGE",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
]

WHOLE = ["hello", "stop-always", "stop-twice", "text-after-stop", "usage-after-stop", "bytewise", "execute", "paced"]


@pytest.mark.parametrize("name", WHOLE)
async def test_a_whole_answer_ends_once_with_its_reason_and_its_usage(upstream: Server, name: str) -> None:
    outcome = await ask(f"gemini/{name}")
    assert outcome.error is None
    assert outcome.text == gemini.TEXT
    assert [bool(r["candidates"][0].get("finishReason")) for r in outcome.responses].count(True) == 1
    assert outcome.reason == "STOP"
    assert outcome.responses[-1]["usageMetadata"] == gemini.USAGE


async def test_an_answer_comes_as_it_is_sent_and_not_in_one_lump(upstream: Server) -> None:
    came = []
    model = providers.find("gemini/paced")[1]
    async for _ in responses(Prompt(model, [{"role": "user", "parts": [{"text": "Hi"}]}])):
        came.append(time.monotonic())
    assert came[-1] - came[0] > 0.12


@pytest.mark.parametrize("reason", REASONS)
async def test_every_finish_reason_is_passed_on_with_the_text_before_it(upstream: Server, reason: str) -> None:
    outcome = await ask(f"gemini/{reason}")
    assert (outcome.text, outcome.reason, outcome.error) == ("x", reason, None)


async def test_thoughts_pictures_grounding_and_unknown_fields_pass_untouched(upstream: Server) -> None:
    outcome = await ask("gemini/rich")
    first, picture, text, last = outcome.responses
    assert first["candidates"][0]["content"]["parts"] == [{"text": "Hm", "thought": True}]
    drawn = picture["candidates"][0]["content"]["parts"][0]["inlineData"]
    assert drawn == {"mimeType": "image/png", "data": gemini.PICTURE}
    assert (text["groundingMetadata"], text["futureField"]) == ({"q": 1}, {"a": [1]})
    assert last["candidates"][0]["groundingMetadata"] == {"s": 2}
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert outcome.text == "See!"


async def test_what_stands_beside_no_candidate_passes_too_and_an_empty_shell_does_not() -> None:
    answer = reader.GeminiReader("X")
    unknown = {"promptFeedback": {"safetyRatings": [1]}, "futureField": {"a": None}, "usageMetadata": gemini.USAGE}
    assert answer.read(dict(unknown)) == [events.chunk(unknown)]
    assert answer.read({"candidates": [{"index": 0, "content": {}}], "responseId": "r", "modelVersion": "m"}) == []
    assert answer.read({"code": "alert(1)"}) == []


SAID = [each for body in gemini.BODIES.values() if len(body) < 10_000 for each in Decoder().feed(body)]
PLAIN = gemini.chunk("a", createTime="2026-01-01T00:00:00Z")
RESPONSES = [
    PLAIN,
    gemini.chunk(""),
    gemini.chunk("b", usageMetadata=gemini.USAGE),
    gemini.chunk("c", futureField=1),
    gemini.chunk("d", promptFeedback={"blockReason": "SAFETY"}),
    gemini.chunk("e", wondercam={"end": "stopped"}),
    gemini.chunk("f", error=None),
    {**PLAIN, "candidates": [{**PLAIN["candidates"][0], "safetyRatings": []}]},
    {**PLAIN, "candidates": PLAIN["candidates"] * 2},
    {**PLAIN, "candidates": []},
    {**PLAIN, "candidates": None},
    {"candidates": [{"content": {"parts": []}}]},
    {"candidates": [{"content": {"parts": [{"text": "g"}, {"text": "h"}]}}]},
    {"candidates": [{"content": {"parts": [{"text": "i", "thought": True}]}}]},
    {"candidates": [{"content": {"parts": [{"text": None}]}}]},
]


@pytest.mark.parametrize("data", [*(json.dumps(each) for each in RESPONSES), *(each.data for each in SAID)])
def test_what_is_taken_at_a_glance_is_what_reading_would_have_made_of_it(data: str) -> None:
    glancing, reading = reader.GeminiReader("X"), reader.GeminiReader("X")
    if (found := glancing.glance(data)) is None:
        return
    (read,) = reading.read(events.decode(data))
    assert (found.parts, found.reason, found.usage, found.notice) == (read.parts, read.reason, read.usage, read.notice)
    assert found.data == data
    assert events.decode(found.data) == events.decode(read.data)


def test_a_plain_response_is_taken_at_a_glance_and_its_line_goes_on_as_it_came() -> None:
    answer, data = reader.GeminiReader("X"), json.dumps(PLAIN, indent=None)
    assert answer.glance(data) == events.Chunk(data, [{"text": "a"}])
    assert answer.glance(json.dumps(PLAIN, indent=1)) is None  # more than one line
    answer.read({"candidates": [{"content": {"parts": [{"text": "\ud83c"}]}}]})
    assert answer.glance(data) is None  # half a character waits for what follows
    assert [chunk.parts for chunk in answer.read(dict(PLAIN))] == [[{"text": "\ufffda"}]]
    assert answer.glance(data) == events.Chunk(data, [{"text": "a"}])


SILENCE = errors.DeadlineExceeded
FAULTS = [
    ("400", errors.InvalidArgument, ""),
    ("401", errors.PermissionDenied, ""),
    ("403", errors.PermissionDenied, ""),
    ("404", errors.NotFound, ""),
    ("429", errors.ResourceExhausted, ""),
    ("500", errors.Internal, ""),
    ("503", errors.Unavailable, ""),
    ("504", errors.DeadlineExceeded, ""),
    ("stall-before", errors.DeadlineExceeded, ""),
    ("slow-headers", errors.DeadlineExceeded, ""),
    ("endless-headers", errors.ApiError, ""),
    ("comments-before", errors.DeadlineExceeded, ""),
    ("stall-between", errors.DeadlineExceeded, PARTIAL),
    ("comments-between", errors.DeadlineExceeded, PARTIAL),
    ("cut-before", errors.Truncated, ""),
    ("cut", errors.Truncated, PARTIAL),
    ("truncated", errors.Truncated, "".join(gemini.WORDS[:-1])),
    ("mid-json", errors.Truncated, "".join(gemini.WORDS[:-1])),
    ("mid-utf8", errors.Truncated, PARTIAL),
    ("empty", errors.BadUpstream, ""),
    ("blocked", errors.Blocked, ""),
    ("error-data", errors.Unavailable, PARTIAL),
    ("error-bare", errors.Unavailable, PARTIAL),
    ("error-pretty", errors.Unavailable, PARTIAL),
    ("error-pretty-data", errors.Unavailable, PARTIAL),
    ("error-list", errors.Unavailable, ""),
    ("garbage", errors.BadUpstream, PARTIAL),
    ("not-an-object", errors.BadUpstream, PARTIAL),
    ("wrong-shape", errors.BadUpstream, PARTIAL),
    ("surrogate", errors.Truncated, f"{PARTIAL}\ufffd"),
    ("deep", errors.BadUpstream, PARTIAL),
    ("long-line", errors.BadUpstream, PARTIAL),
    ("redirect", errors.NotFound, ""),
    ("page", errors.BadUpstream, ""),
    ("bomb", errors.BadUpstream, ""),
]


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [pytest.param(*fault, id=fault[0], marks=pytest.mark.slow if fault[1] is SILENCE else ()) for fault in FAULTS],
)
async def test_a_fault_is_a_typed_error_and_keeps_what_came(
    upstream: Server, caplog: pytest.LogCaptureFixture, name: str, kind: type[errors.ApiError], text: str
) -> None:
    caplog.set_level(logging.DEBUG)
    if kind is errors.DeadlineExceeded:
        configure(upstream, WONDERCAM_MODELS=f"gemini/{name}", **HASTY)
    outcome = await ask(f"gemini/{name}")
    assert isinstance(outcome.error, kind), outcome
    assert outcome.text == text
    said = outcome.error.message + repr(outcome.error) + caplog.text
    assert KEY not in said
    assert "SECRET" not in said
    assert "127.0.0.1" not in outcome.error.message


@pytest.mark.parametrize("name", ["error-bare", "error-pretty", "error-pretty-data", "error-data"])
@pytest.mark.parametrize("end", [b"", b"\n\n", b"\r\n\r\n: and on\n\n"])
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_an_error_object_is_found_however_it_is_split(name: str, end: bytes, size: int) -> None:
    body = gemini.BODIES[name] + end
    await assert_found([body[at : at + size] for at in range(0, len(body), size)])


@pytest.mark.parametrize("at", range(1, len(json.dumps(gemini.OVERLOADED)), 9))
async def test_an_error_object_in_two_reads_is_found_wherever_they_part(at: int) -> None:
    before, error = gemini.sse(*gemini.answer()[:2]), json.dumps(gemini.OVERLOADED).encode() + b"\r\n\r\n"
    await assert_found([before + error[:at], error[at:]])


async def assert_found(pieces: list[bytes]) -> None:
    """The error is raised by itself: the connection stays open after the last piece."""

    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        for piece in pieces:
            await reply.send(piece)
            await asyncio.sleep(0 if len(pieces) > 9 else 0.005)  # few pieces shall be as many reads
        await reply.stall()

    async with Server(play) as server:
        configure(server)
        outcome = await ask("gemini/hello")
        assert isinstance(outcome.error, errors.Unavailable)
        assert outcome.text == PARTIAL


WRONG_SHAPES: list[Any] = [
    {"candidates": {"0": 1}},
    {"candidates": [7]},
    {"candidates": [7]},
    {"candidates": "x"},
    {"candidates": [{"content": 7}]},
    {"candidates": [{"content": {"parts": 7}}]},
    {"candidates": [{"content": {"parts": [7]}}]},
    {"candidates": [{"finishReason": [7]}]},
    {"usageMetadata": 7},
    {"modelVersion": {"a": 1}},
]


async def answered_in_the_middle(response: Any) -> Outcome:
    """What comes of a response between two words and the end."""
    body = gemini.sse(*gemini.answer()[:2], response, gemini.chunk(".", "STOP"))

    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(body)
        await reply.end()

    async with Server(play) as server:
        configure(server)
        return await ask("gemini/hello")


@pytest.mark.parametrize("response", WRONG_SHAPES, ids=json.dumps)
async def test_a_shape_that_is_no_answer_is_a_typed_error(response: Any) -> None:
    outcome = await answered_in_the_middle(response)
    assert isinstance(outcome.error, errors.BadUpstream)
    assert outcome.text == PARTIAL


@pytest.mark.parametrize("response", [{"candidates": None}, {"candidates": [{"finishReason": None}]}], ids=json.dumps)
async def test_a_null_is_nothing(response: Any) -> None:
    outcome = await answered_in_the_middle(response)
    assert (outcome.text, outcome.reason, outcome.error) == (f"{PARTIAL}.", "STOP", None)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_without_a_word_is_an_answer_or_has_its_sentence(reason: str) -> None:
    if reason in ("STOP", "MAX_TOKENS"):
        validation.check_empty_end(reason, "X")
        return
    kind = errors.Blocked if reason in validation.REFUSALS else validation.NoAnswer
    with pytest.raises(kind, match=r"^X "):
        validation.check_empty_end(reason, "X")


async def test_an_end_without_a_word_is_an_empty_answer_that_is_asked_for_once(upstream: Server) -> None:
    outcome = await ask("gemini/empty-stop")
    assert (outcome.text, outcome.reason, outcome.error) == ("", "STOP", None)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("reason", [*reader.BLOCKED, "OTHER", "NEW"])
async def test_a_blocked_prompt_says_why(reason: str) -> None:
    with pytest.raises(errors.Blocked, match=r"^X refused this message ") as blocked:
        reader.GeminiReader("X").read({"promptFeedback": {"blockReason": reason}})
    assert reason not in blocked.value.message


def configure(server: Server, **settings: str) -> None:
    """One model."""
    given = {"WONDERCAM_MODELS": "gemini/hello", "GEMINI_API_KEY": KEY, "GEMINI_BASE_URL": server.url}
    providers.configure({**ONCE, **given, **settings})


@pytest.mark.slow
async def test_an_answer_whose_connection_does_not_end_is_shown_at_once_and_ends_after_the_idle_limit() -> None:
    async with Server(gemini.play) as server:
        configure(server, WONDERCAM_MODELS="gemini/stop-and-stay", WONDERCAM_LIMIT_IDLE_SECONDS="1")
        start = time.monotonic()
        came: list[tuple[float, str]] = []
        model = providers.find(None)[1]
        async for response in responses(Prompt(model, [{"role": "user", "parts": [{"text": "Hi"}]}])):
            came.append((time.monotonic() - start, events.text_of(response)))
    assert "".join(text for _, text in came) == gemini.TEXT
    assert max(at for at, text in came if text) + 0.9 < came[-1][0]
    assert came[-1][0] >= 1


async def test_a_word_of_ours_in_their_answer_is_dropped(upstream: Server) -> None:
    outcome = await ask("gemini/spoof")
    assert outcome.text == "Hi."
    assert outcome.notices == []


async def test_a_long_retry_after_is_given_to_the_reader(upstream: Server) -> None:
    outcome = await ask("gemini/quota")
    assert isinstance(outcome.error, errors.ResourceExhausted)
    assert outcome.error.retry_after == 77


async def test_ten_thousand_responses_a_second_all_arrive(upstream: Server) -> None:
    outcome = await ask("gemini/fast")
    assert outcome.error is None
    assert outcome.text == "tick " * 10_000 + "."


async def test_the_request_is_as_the_prompt_says_and_the_key_is_in_its_header_only(upstream: Server) -> None:
    contents = [
        {"role": "user", "parts": [{"text": "Was?"}, {"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}]}
    ]
    extra = {"safetySettings": [{"category": "C", "threshold": "T"}], "tools": [{"googleSearch": {}}]}
    await ask("gemini/hello", contents=contents, system="Be brief.", generation={"temperature": 0.1}, extra=extra)
    (request,) = upstream.requests
    assert request.target == "/v1beta/models/hello:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == KEY
    assert KEY not in request.target + request.body.decode()
    assert request.json() == {
        "contents": contents,
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"temperature": 0.1},
        **extra,
    }


async def test_a_model_name_cannot_reach_another_path() -> None:
    async with Server(gemini.play) as server:
        configure(server, WONDERCAM_MODELS="gemini/../../secrets?x=")
        outcome = await ask(None)
        assert isinstance(outcome.error, errors.NotFound)
        assert server.requests[0].target.startswith("/v1beta/models/..%2F..%2Fsecrets%3Fx=:")


async def test_closing_an_answer_closes_the_connection_at_once(upstream: Server) -> None:
    model = providers.find("gemini/stall-between")[1]
    answer = responses(Prompt(model, [{"role": "user", "parts": [{"text": "Hi"}]}]))
    await anext(answer)
    await answer.aclose()
    while not upstream.gone:
        await asyncio.sleep(0.005)


async def test_nobody_at_home_is_unavailable_and_says_when_to_try_again() -> None:
    async with Server(gemini.play) as server:
        configure(server)
    outcome = await ask("gemini/hello")
    assert isinstance(outcome.error, errors.Unavailable)
    assert outcome.error.retry_after
