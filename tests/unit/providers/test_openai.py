"""Chat completions translated to Gemini's format: text, finish reasons, usage and faults."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers import openai_format
from chat.providers.openai import listed_models
from tests.catalogue import providers
from tests.fakes import openai
from tests.fakes.server import Server
from tests.unit.providers.conftest import ONCE, ask

KEY = "sk-very-secret"
PARTIAL = "Hello, "
PHOTO = {"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}


@pytest.fixture
async def upstream() -> AsyncGenerator[Server, None]:
    """A fake server with every behaviour configured as a model."""
    async with Server(openai.play) as server:
        names = [*openai.BODIES, *openai.REASONS, *openai.STATUSES]
        models = ",".join(f"openai/{name}" for name in names)
        given = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_IMAGES": "1"}
        providers.configure({**ONCE, "WONDERCAM_MODELS": models, **given})
        yield server


WHOLE = ["hello", "no-done", "no-reason", "usage-with-reason", "usage-everywhere", "listed", "reasoning"]


@pytest.mark.parametrize("name", [*WHOLE, "stop-twice", "text-after-stop"])
async def test_a_whole_answer_is_translated_and_ends_with_its_reason(upstream: Server, name: str) -> None:
    outcome = await ask(f"openai/{name}")
    assert (outcome.text, outcome.reason, outcome.error) == (openai.TEXT, "STOP", None)
    assert all("choices" not in response for response in outcome.responses)


@pytest.mark.parametrize("name", ["hello", "usage-with-reason", "usage-everywhere"])
async def test_the_usage_comes_with_the_end_wherever_the_server_puts_it(upstream: Server, name: str) -> None:
    last = (await ask(f"openai/{name}")).responses[-1]
    assert last["usageMetadata"] == {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}


BROKEN_OFF = ["abort", "aborted", "error", "cancelled", "canceled", "network_error", "insufficient_system_resource"]
BROKEN_OFF += ["ERROR", "timeout", "overloaded", "server_error"]


@pytest.mark.parametrize("reason", BROKEN_OFF)
async def test_an_answer_that_its_server_broke_off_is_never_called_complete(reason: str) -> None:
    translation = openai_format.CompletionReader("m", "X")
    assert translation.read(openai.chunk({"content": "half"}, reason))
    translation.read(openai.chunk(reason="stop"))
    with pytest.raises(errors.Truncated):
        translation.end(done=True)


@pytest.mark.parametrize(("theirs", "ours"), openai.REASONS.items())
async def test_every_reason_has_a_word_in_gemini(upstream: Server, theirs: str, ours: str) -> None:
    outcome = await ask(f"openai/{theirs}")
    assert (outcome.text, outcome.reason) == (openai.TEXT, ours)


async def test_an_end_without_a_word_is_an_empty_answer_that_is_asked_for_once(upstream: Server) -> None:
    outcome = await ask("openai/nothing")
    assert (outcome.text, outcome.reason, outcome.error) == ("", "STOP", None)
    assert len(upstream.requests) == 1


async def test_reasoning_becomes_thoughts_that_are_not_part_of_the_answer(upstream: Server) -> None:
    first, second, *_ = (await ask("openai/reasoning")).responses
    assert events.parts_of(first) == [{"text": "Hm.", "thought": True}]
    assert events.parts_of(second) == [{"text": " So.", "thought": True}]


async def test_a_refusal_is_read_as_the_answer_and_ends_for_safety(upstream: Server) -> None:
    outcome = await ask("openai/refusal")
    assert (outcome.text, outcome.reason) == ("I cannot do that.", "SAFETY")


FAULTS = [
    ("cut-short", errors.Truncated, openai.TEXT),
    ("error-data", errors.Internal, PARTIAL),
    ("error-event", errors.ResourceExhausted, PARTIAL),
    ("error-bare", errors.Internal, PARTIAL),
    ("garbage", errors.BadUpstream, PARTIAL),
    ("wrong-delta", errors.BadUpstream, PARTIAL),
    ("wrong-choices", errors.BadUpstream, PARTIAL),
    ("400", errors.InvalidArgument, ""),
    ("401", errors.PermissionDenied, ""),
    ("404", errors.NotFound, ""),
    ("429", errors.ResourceExhausted, ""),
]


@pytest.mark.parametrize(("name", "kind", "text"), FAULTS, ids=[fault[0] for fault in FAULTS])
async def test_a_fault_is_a_typed_error_that_keeps_what_came_and_tells_no_secret(
    upstream: Server, caplog: pytest.LogCaptureFixture, name: str, kind: type[errors.ApiError], text: str
) -> None:
    outcome = await ask(f"openai/{name}")
    assert isinstance(outcome.error, kind), outcome
    assert outcome.text == text
    assert "SECRET" not in outcome.error.message + caplog.text
    assert KEY not in outcome.error.message + caplog.text


async def test_the_request_is_a_chat_completion_with_the_key_in_its_header_only(upstream: Server) -> None:
    contents = [
        {"role": "user", "parts": [{"text": "One."}]},
        {"role": "model", "parts": [{"text": "secret thought", "thought": True}, {"text": "Two."}]},
        {"role": "user", "parts": [{"text": "Three."}]},
        {"role": "user", "parts": [{"text": "What is this?"}, PHOTO]},
    ]
    generation = {"temperature": 0.5, "maxOutputTokens": 9, "stopSequences": ["X"], "topK": 3}
    await ask("openai/hello", contents=contents, system="Be brief.", generation=generation)
    (request,) = upstream.requests
    assert request.target == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in request.body.decode()
    assert request.json() == {
        "model": "hello",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 9,
        "stop": ["X"],
        "top_k": 3,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One."},
            {"role": "assistant", "content": "Two."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Three."},
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QQ=="}},
                ],
            },
        ],
    }


def test_the_texts_of_a_question_are_apart_and_those_of_an_answer_are_pieces() -> None:
    parts = [{"text": "What is this?"}, {"text": "This was recognised."}]
    contents = [{"role": role, "parts": parts} for role in ("user", "model", "user")]
    messages = openai_format.request_of(Prompt(Model("openai", "m"), contents))["messages"]
    question, answer = "What is this?\n\nThis was recognised.", "What is this?This was recognised."
    assert [message["content"] for message in messages] == [question, answer, question]


def test_the_chunks_of_an_answer_that_are_contents_of_their_own_are_one_message() -> None:
    """So Google's SDK for Python keeps an answer that it streamed."""
    call: Any = {"functionCall": {"name": "f", "args": {}, "id": "1"}}
    chunks: list[Any] = [{"text": "Let m"}, {"text": "e see."}, call]
    contents = [{"role": "user", "parts": [{"text": text}]} for text in ("A.", "B.")]
    contents += [{"role": "model", "parts": [part]} for part in chunks]
    question, answer = openai_format.request_of(Prompt(Model("openai", "m"), contents))["messages"]
    assert question["content"] == "A.\n\nB."
    assert (answer["content"], len(answer["tool_calls"])) == ("Let me see.", 1)


def test_an_earlier_answer_of_another_model_is_sent_as_words() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    answer = [{"text": "Here: ", "thoughtSignature": "AA"}, PHOTO, call, {"text": "Hm", "thought": True}, {"text": "."}]
    turns = [("user", [PHOTO]), ("model", answer), ("user", [{"text": "More."}])]
    contents = [{"role": role, "parts": parts} for role, parts in turns]
    messages = openai_format.request_of(Prompt(Model("openai", "m"), contents))["messages"]
    assert [message["content"] for message in messages[1:]] == ["Here: [a picture].", "More."]
    assert messages[0]["content"][0]["type"] == "image_url"


async def test_a_conversation_is_cut_to_the_models_context_and_begins_with_the_user() -> None:
    async with Server(openai.play) as server:
        given = {"WONDERCAM_MODELS": "openai/hello", "OPENAI_BASE_URL": f"{server.url}/v1"}
        providers.configure({**ONCE, **given, "OPENAI_CONTEXT": "1000", "OPENAI_IMAGES": "1"})
        roles = ["user", "model"] * 3 + ["user"]
        contents = [{"role": role, "parts": [{"text": f"{at}" + "x" * 500}]} for at, role in enumerate(roles)]
        await ask(None, contents=contents, generation={"maxOutputTokens": 300})
        await ask(None, contents=[*contents, {"role": "user", "parts": [PHOTO, {"text": "y" * 9000}]}])
        first, second = ([m["content"] for m in request.json()["messages"]] for request in server.requests)
        assert [content[0] for content in first] == ["4", "5", "6"]
        assert [part["type"] for part in second[0]] == ["image_url", "text"]
        assert len(second) == 1


async def test_without_names_the_servers_own_list_of_models_is_offered() -> None:
    async with Server(openai.play) as server:
        providers.configure({**ONCE, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": KEY})
        await providers.discover()
        first, second = providers.models()
        assert (first.id, first.context, first.images) == ("openai/hello", 4096, True)
        assert (second.id, second.context, second.images) == ("openai/org/second", 9000, False)
        assert (await ask(None)).text == openai.TEXT


async def test_what_is_configured_wins_over_what_the_server_lists() -> None:
    async with Server(openai.play) as server:
        given = {"WONDERCAM_MODELS": "openai/hello", "OPENAI_BASE_URL": f"{server.url}/v1"}
        providers.configure({**ONCE, **given, "OPENAI_IMAGES": "0", "OPENAI_CONTEXT": "hello=1000, other=5"})
        await providers.discover()
        (model,) = providers.models()
        assert (model.context, model.images) == (1000, False)


async def test_a_server_that_lists_nothing_stops_nothing() -> None:
    async with Server(openai.failing_then(9, openai.play)) as server:
        providers.configure({**ONCE, "WONDERCAM_MODELS": "openai/hello", "OPENAI_BASE_URL": f"{server.url}/v1"})
        await providers.discover()
        assert [model.id for model in providers.models()] == ["openai/hello"]


DRAWN = "data:image/png;base64,QUJD"
PICTURES = [
    {"images": [{"type": "image_url", "image_url": {"url": DRAWN}}]},
    {"images": [{"image_url": DRAWN}], "content": None},
    {"content": [{"type": "image_url", "image_url": {"url": DRAWN}}]},
    {"images": [DRAWN]},
    {"images": [{"url": DRAWN}, {"image_url": DRAWN}]},
    {"images": [{"b64_json": "QUJD"}]},
]


@pytest.mark.parametrize("delta", PICTURES, ids=str)
def test_a_picture_that_the_model_drew_is_part_of_the_answer(delta: dict[str, Any]) -> None:
    reader = openai_format.CompletionReader("m", "X")
    (first,) = reader.read(openai.chunk(delta))
    assert first.parts == [{"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]
    assert reader.read(openai.chunk(reason="stop"))[0].reason == "STOP"


def test_a_picture_in_the_whole_message_at_the_end_is_part_of_the_answer_once() -> None:
    reader = openai_format.CompletionReader("m", "X")
    drawn = {"images": [{"image_url": {"url": DRAWN}}]}
    last = {"choices": [{"index": 0, "message": {"content": "A hat.", **drawn}, "finish_reason": "stop"}]}
    reader.read(openai.chunk({"content": "A hat."}))
    assert [part for chunk in reader.read(last) for part in chunk.parts] != []
    assert [part for chunk in reader.read(last) for part in chunk.parts] == []


def test_a_picture_behind_an_address_is_told_by_its_address_and_not_fetched() -> None:
    reader = openai_format.CompletionReader("m", "X")
    (first,) = reader.read(
        openai.chunk({"images": [{"image_url": {"url": "https://example.org/a.png"}}, {"odd": 1}, 7]})
    )
    assert first.parts == [{"text": "https://example.org/a.png"}]


ODD = [None, 7, True, "image", {"image": 1}, [7], -1, 10**30, 1.5]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_list_of_models_of_any_shape_tells_what_it_can(odd: Any) -> None:
    item = {"id": "m", "max_model_len": odd, "meta": odd, "architecture": {"input_modalities": odd}}
    for listed in (odd, {"data": odd}, {"data": [odd]}, {"data": [{"id": odd}]}):
        assert [model.name for model in listed_models("openai", listed)] in ([], [odd])
    (model,) = listed_models("openai", {"data": [item, {**item, "id": None}]})
    assert (model.name, model.images, model.sounds) == ("m", False, ())
    assert model.context == (7 if odd == 7 else None)


@pytest.mark.parametrize(
    "listed", [[{"id": "m"}], {"models": [{"name": "m"}]}, {"data": None, "models": [{"id": "m"}]}]
)
def test_a_list_of_models_may_have_no_name_or_another(listed: Any) -> None:
    assert [model.name for model in listed_models("openai", listed)] == ["m"]


def test_a_context_may_be_written_as_text() -> None:
    (model,) = listed_models("openai", {"data": [{"id": "m", "context_length": "4096"}]})
    assert model.context == 4096
