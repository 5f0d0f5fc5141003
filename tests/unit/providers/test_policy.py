"""The policy for upstreams: retries, deadlines, breaker and fallbacks."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chat.protocol import errors, events
from chat.providers.breaker import MOST_REMEMBERED, Breaker
from chat.providers.validation import NoAnswer
from tests.catalogue import providers
from tests.fakes import gemini, openai
from tests.fakes.server import Play, Reply, Request, Server
from tests.unit.providers.conftest import ONCE, ask

pytestmark = pytest.mark.servers

EAGER = {**ONCE, "WONDERCAM_UPSTREAM_ATTEMPTS": "3", "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "5"}


def configure(server: Server, **settings: str) -> None:
    """`openai/no-done` on the server, `recording/hello` at once beside it."""
    models = "openai/no-done,recording/hello"
    given = {"WONDERCAM_MODELS": models, "OPENAI_BASE_URL": server.url, "WONDERCAM_RECORDING_SPEED": "0"}
    providers.configure({**EAGER, **given, **settings})


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No waiting for chance; the upper ends of the intervals that were drawn from."""
    drawn: list[float] = []

    def uniform(low: float, high: float) -> float:
        drawn.append(high)
        return low

    monkeypatch.setattr("chat.providers.policy.random.uniform", uniform)
    return drawn


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
async def test_a_passing_refusal_is_tried_again_and_the_reader_sees_only_the_answer(status: int) -> None:
    async with Server(openai.failing_then(2, openai.play, status)) as server:
        configure(server)
        outcome = await ask(None)
        assert (outcome.text, outcome.error) == (openai.TEXT, None)
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_a_refusal_with_a_reason_is_final(status: int) -> None:
    async with Server(openai.failing_then(2, openai.play, status)) as server:
        configure(server)
        assert (await ask(None)).error is not None
        assert len(server.requests) == 1


async def test_attempts_are_counted_and_their_pauses_double(no_jitter: list[float]) -> None:
    async with Server(openai.failing_then(9, openai.play)) as server:
        configure(server)
        outcome = await ask(None)
        assert isinstance(outcome.error, errors.Unavailable)
        assert outcome.error.retry_after == 5
        assert len(server.requests) == 3
        assert no_jitter == [0.5, 1.0]


@pytest.mark.slow
async def test_a_short_retry_after_is_waited_for() -> None:
    async with Server(openai.failing_then(1, openai.play, 429, Retry_After="1")) as server:
        configure(server)
        start = asyncio.get_running_loop().time()
        assert (await ask(None)).text == openai.TEXT
        assert 1 <= asyncio.get_running_loop().time() - start < 2


async def test_a_retry_after_that_is_too_long_is_given_to_the_reader_at_once() -> None:
    async with Server(openai.failing_then(1, openai.play, 503, Retry_After="60")) as server:
        configure(server)
        outcome = await ask(None)
        assert isinstance(outcome.error, errors.Unavailable)
        assert outcome.error.retry_after == 60
        assert len(server.requests) == 1


async def test_nothing_is_tried_again_once_a_word_has_been_read() -> None:
    async with Server(gemini.after(2, "cut")) as server:
        providers.configure(
            {**EAGER, "WONDERCAM_MODELS": "gemini/cut", "GEMINI_API_KEY": "k", "GEMINI_BASE_URL": server.url}
        )
        outcome = await ask(None)
        assert isinstance(outcome.error, errors.Truncated)
        assert outcome.text == "".join(gemini.WORDS[:2])
        assert len(server.requests) == 1


async def test_a_call_that_nobody_can_read_is_tried_again_and_is_nothing_against_the_upstream() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        if len(server.requests) % 3:
            await reply.send(openai.sse(openai.chunk(reason="MALFORMED_FUNCTION_CALL")))
        else:
            await reply.send(openai.BODIES["no-done"])
        await reply.end()

    async with Server(play) as server:
        configure(server)
        outcomes = [await ask(None, asker=number) for number in range(4)]
        assert [(outcome.text, outcome.error) for outcome in outcomes] == [(openai.TEXT, None)] * 4
        assert len(server.requests) == 12


@pytest.mark.parametrize("sent", [b"data: {secret\n\n", openai.BODIES["no-done"][:30]])
async def test_an_answer_that_cannot_be_read_is_logged_and_counted_even_when_the_next_attempt_is_good(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(openai.BODIES["no-done"] if len(server.requests) > 1 else sent)
        await reply.end()

    async with Server(play) as server:
        configure(server)
        outcome = await ask(None)
        assert (outcome.text, outcome.error) == (openai.TEXT, None)
        assert providers.unreadable == {"openai/no-done": 1}
    assert "attempt 1 at an answer failed" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("play", [openai.failing_then(99, openai.play), gemini.after(0, "stall")])
async def test_the_fallback_answers_where_the_first_model_cannot_and_the_reader_is_told(play: Play) -> None:
    async with Server(play) as server:
        once = {"WONDERCAM_UPSTREAM_ATTEMPTS": "1", "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "0.5"}
        configure(server, WONDERCAM_FALLBACKS="openai/no-done=recording/hello", **once)
        outcome = await ask("openai/no-done")
        assert outcome.error is None
        assert outcome.text.startswith("Hello!")
        assert outcome.notices == [
            (events.FALLBACK, "openai/no-done is not available: Recording: hello answers instead.")
        ]


async def test_the_fallback_is_not_used_for_a_request_that_is_wrong() -> None:
    async with Server(openai.failing_then(1, openai.play, 400)) as server:
        configure(server, WONDERCAM_FALLBACKS="openai/no-done=recording/hello")
        outcome = await ask("openai/no-done")
        assert isinstance(outcome.error, errors.InvalidArgument)
        assert outcome.notices == []


async def test_fallbacks_that_point_at_each_other_end() -> None:
    async with Server(openai.failing_then(99, openai.play, 404)) as server:
        pairs = "openai/no-done=openai/cut-short,openai/cut-short=openai/no-done"
        configure(server, WONDERCAM_MODELS="openai/no-done,openai/cut-short", WONDERCAM_FALLBACKS=pairs)
        assert isinstance((await ask(None)).error, errors.NotFound)
        assert len(server.requests) == 2


async def test_a_dead_upstream_is_left_alone_and_fails_fast() -> None:
    async with Server(openai.failing_then(99, openai.play)) as server:
        configure(server)
        for person in range(5):
            await ask(None, asker=person)
        tried = len(server.requests)
        assert tried == 15
        outcome = await ask(None, asker="new")
        assert isinstance(outcome.error, errors.Unavailable)
        assert outcome.error.retry_after is not None
        assert outcome.error.message.startswith("openai/no-done has failed several times in a row and rests.")
        assert len(server.requests) == tried


async def test_one_persons_failures_rest_the_model_for_this_person_alone() -> None:
    async def play(request: Request, reply: Reply) -> None:
        if "poison" in request.body.decode():
            await reply.whole(500, {"error": {"message": "no"}})
        else:
            await openai.play(request, reply)

    async with Server(play) as server:
        configure(server, WONDERCAM_UPSTREAM_ATTEMPTS="1")
        for _ in range(9):
            await ask(None, "poison", asker="Eve")
        tried = len(server.requests)
        assert tried == 5
        assert (await ask(None, asker="Ann")).text == openai.TEXT
        assert isinstance((await ask(None, "poison", asker="Eve")).error, errors.Internal)


async def test_one_model_that_fails_is_no_reason_to_rest_another_of_the_same_server() -> None:
    async def play(request: Request, reply: Reply) -> None:
        if request.json()["model"] == "cut-short":
            await reply.whole(500, {"error": {"message": "no"}})
        else:
            await openai.play(request, reply)

    async with Server(play) as server:
        configure(server, WONDERCAM_MODELS="openai/no-done,openai/cut-short", WONDERCAM_UPSTREAM_ATTEMPTS="1")
        for person in range(6):
            await ask("openai/cut-short", asker=person)
        assert len(server.requests) == 5
        assert (await ask("openai/no-done")).text == openai.TEXT


async def test_while_a_model_rests_its_fallback_answers_at_once() -> None:
    async with Server(openai.failing_then(99, openai.play)) as server:
        configure(server, WONDERCAM_FALLBACKS="openai/no-done=recording/hello", WONDERCAM_UPSTREAM_ATTEMPTS="1")
        for person in range(5):
            await ask(None, asker=person)
        tried = len(server.requests)
        outcome = await ask(None)
        assert outcome.text.startswith("Hello!")
        assert [kind for kind, _ in outcome.notices] == [events.FALLBACK]
        assert (tried, len(server.requests)) == (5, 5)


async def test_a_wrong_key_is_no_reason_to_change_the_question_and_the_fallback_answers() -> None:
    async def play(request: Request, reply: Reply) -> None:
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        await reply.whole(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": details}})

    async with Server(play) as server:
        configure(server, WONDERCAM_FALLBACKS="openai/no-done=recording/hello")
        outcome = await ask("openai/no-done")
        assert outcome.text.startswith("Hello!")
        assert len(server.requests) == 1


async def test_a_retry_after_may_be_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    async with Server(openai.failing_then(1, openai.play, 429, Retry_After=moment)) as server:
        configure(server)
        outcome = await ask(None)
        assert isinstance(outcome.error, errors.ResourceExhausted)
        assert outcome.error.retry_after in range(85, 91)
        assert f"Try again in {outcome.error.retry_after} s, or choose another model." in outcome.error.message


def test_a_breaker_lets_one_try_after_its_rest_and_closes_when_that_goes_well() -> None:
    now = [0.0]
    breaker = Breaker(most=2, rest=10, clock=lambda: now[0])
    for person in "ab":
        breaker.admit("X", person)
        breaker.note(errors.Unavailable("no"), person, begun=False)
    with pytest.raises(errors.Unavailable, match="rests"):
        breaker.admit("X", "c")
    now[0] = 11
    breaker.admit("X", "c")
    with pytest.raises(errors.Unavailable):
        breaker.admit("X", "d")
    breaker.succeeded()
    breaker.admit("X", "d")


def test_refusals_with_a_reason_and_cuts_in_an_answer_break_nothing() -> None:
    breaker = Breaker(most=1)
    for error in (errors.InvalidArgument("x"), errors.ResourceExhausted("x"), errors.Blocked("x"), NoAnswer("x")):
        breaker.note(error, "a", begun=False)
    breaker.note(errors.Truncated("x"), "a", begun=True)
    breaker.admit("X", "a")


def test_a_breaker_remembers_no_more_people_than_it_must() -> None:
    breaker = Breaker(most=10**6)
    for person in range(MOST_REMEMBERED + 5):
        breaker.note(errors.Internal("x"), person, begun=False)
    assert len(breaker._failures) == 5


async def test_the_whole_answer_has_a_deadline_even_while_words_come() -> None:
    async def endless(request: Request, reply: Reply) -> None:
        await reply.head()
        while True:
            await reply.send(openai.sse(openai.chunk({"content": "on and "})))
            await asyncio.sleep(0.05)

    async with Server(endless) as server:
        configure(server, WONDERCAM_LIMIT_STREAM_SECONDS="0.5")
        outcome = await ask(None)
        assert isinstance(outcome.error, errors.DeadlineExceeded)
        assert outcome.text.startswith("on and on")
