"""Translation of OpenAI's Responses API: accepted requests, and the typed events of an answer."""

import json
from functools import cache
from typing import Any

import msgspec
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from chat.protocol import events
from chat.protocol.errors import InvalidArgument
from chat.protocol.openai_responses import ResponseRequest
from chat.protocol.response_events import ResponseEvents, calls_in

NUMBER = "0" * 32
CALL = {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rom"}}, "thoughtSignature": "c2ln"}
RESULT = {"functionResponse": {"id": "c1", "name": "weather", "response": {"degrees": 30}}}
FUNCTION = {"type": "function", "name": "weather", "description": "d", "parameters": {"type": "object"}}
CALLED = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Rom"}'}
CALLED |= {"extra_content": {"google": {"thought_signature": "c2ln"}}}  # type: ignore[dict-item]
GIVEN = {"type": "function_call_output", "call_id": "c1", "output": '{"degrees": 30}'}
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 10}


def asked(**fields: Any) -> ResponseRequest:
    """A request as its view reads it."""
    return msgspec.convert({"input": "Hi", **fields}, ResponseRequest)


def said(*parts: dict[str, Any], reason: str = "") -> dict[str, Any]:
    """A response of Gemini's."""
    ended = {"finishReason": reason} if reason else {}
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, **ended}], "usageMetadata": USAGE}


def new() -> ResponseEvents:
    """The events of a response to a plain request."""
    return ResponseEvents(NUMBER, {"created_at": 1, "model": "a/b", **asked().repeated()})


@cache
def sdk() -> TypeAdapter[Any]:
    """The SDK's own types of events; to put them together takes a quarter of a second."""
    return TypeAdapter(ResponseStreamEvent)


def told(*responses: dict[str, Any]) -> list[dict[str, Any]]:
    """All events of a stream, each of which the SDK's own types take to the letter."""
    translated = new()
    found = translated.begin() + [event for each in responses for event in translated.of(each)]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    for event in found:
        sdk().validate_python(event)
    Response.model_validate(translated.response())
    return found


def types(found: list[dict[str, Any]]) -> list[str]:
    """What events are called."""
    return [event["type"].removeprefix("response.") for event in found]


def test_a_text_is_a_message_of_the_users():
    assert asked(input="What?").contents({}) == [{"role": "user", "parts": [{"text": "What?"}]}]


def test_items_become_contents_with_their_photos_sounds_calls_and_results():
    items = [
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "data:image/jpeg;base64,QQ==", "detail": "auto"},
                {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
        CALLED,
        {**CALLED, "call_id": "c2", "extra_content": None},
        GIVEN,
        {**GIVEN, "call_id": "c2", "output": [{"type": "input_text", "text": "warm"}]},
        {"role": "user", "content": "And now?"},
    ]
    found = asked(input=items, instructions="Be true.")
    second = {"functionCall": {"id": "c2", "name": "weather", "args": {"city": "Rom"}}}
    photo = {"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "QQ=="}}

    assert found.system() == "Be true.\n\nBe brief.\n\nBe kind."
    assert found.contents({}) == [
        {"role": "user", "parts": [{"text": "What is this?"}, photo, sound]},
        {"role": "model", "parts": [{"text": "Let me see."}, CALL, second]},
        {
            "role": "user",
            "parts": [
                RESULT,
                {"functionResponse": {"id": "c2", "name": "weather", "response": {"result": "warm"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "And now?"}]},
    ]


def test_a_result_is_of_a_call_in_the_response_that_it_follows():
    nameless = {"functionCall": {"name": "weather", "args": {}}}
    found = asked(input=[{**GIVEN, "call_id": "call_0_weather"}]).contents(calls_in([{"text": "Hm"}, nameless]))
    result = {"functionResponse": {"name": "weather", "response": {"degrees": 30}}}
    assert found == [{"role": "user", "parts": [result]}]


REFUSED: list[Any] = [
    [{"role": "user", "content": [{"type": "input_image", "image_url": "https://example.test/a.png"}]}],
    [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}],
    [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}],
    [{"role": "user", "content": [{"type": "input_text", "text": 7}]}],
    [{"role": "user", "content": [{"type": "input_audio", "input_audio": "x"}]}],
    [{"role": "user", "content": []}],
    [{"role": "user", "content": 7}],
    [{"role": "user"}],
    [{"role": "king", "content": "x"}],
    [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
    [{"type": "item_reference", "id": "msg_1"}],
    [GIVEN],
    [{**CALLED, "arguments": "{"}, GIVEN],
    [{**CALLED, "arguments": "[]"}, GIVEN],
    [{**CALLED, "name": None}, GIVEN],
    [{**CALLED, "call_id": ["c1"]}, GIVEN],
    [CALLED, {**GIVEN, "output": 7}],
    [{"role": "developer", "content": "x"}],
]


@pytest.mark.parametrize("items", REFUSED, ids=json.dumps)
def test_what_cannot_be_said_here_is_refused(items: list[dict[str, Any]]):
    with pytest.raises(InvalidArgument):
        asked(input=items).contents({})


@pytest.mark.parametrize(
    "fields", [{"input": ""}, {"input": []}, {"conversation": "c"}, {"prompt": {"id": "p"}}], ids=str
)
def test_a_request_that_cannot_be_met_is_refused(fields: dict[str, Any]):
    with pytest.raises(msgspec.ValidationError):
        asked(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": {"format": {"type": "grammar"}}},
        {"text": {"format": "json"}},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "function"}]},
        {"tools": [FUNCTION], "tool_choice": {"type": "file_search"}},
    ],
    ids=json.dumps,
)
def test_a_format_or_a_tool_of_openais_own_is_refused(fields: dict[str, Any]):
    found = asked(**fields)
    with pytest.raises(InvalidArgument):
        assert found.generation() | found.extra() is None


def test_settings_and_tools_have_geminis_names():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    found = asked(
        max_output_tokens=5,
        temperature=0.5,
        reasoning={"effort": "low", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "thing", "schema": schema}, "verbosity": "low"},
        tools=[FUNCTION],
        tool_choice={"type": "function", "name": "weather"},
    )
    assert found.generation() == {
        "maxOutputTokens": 5,
        "temperature": 0.5,
        "thinkingConfig": {"includeThoughts": True},
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    declared = {"name": "weather", "description": "d", "parametersJsonSchema": {"type": "object"}}
    assert found.extra() == {
        "tools": [{"functionDeclarations": [declared]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
        "chatCompletion": {
            "response_format": {"type": "json_schema", "json_schema": {"name": "thing", "schema": schema}},
            "reasoning_effort": "low",
            "verbosity": "low",
        },
    }


def test_tools_that_are_not_allowed_are_not_offered():
    other = {**FUNCTION, "name": "other"}
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "other"}]}
    found = asked(tools=[FUNCTION, other], tool_choice=allowed).extra()
    assert [each["name"] for each in found["tools"][0]["functionDeclarations"]] == ["other"]
    assert found["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


def test_a_text_comes_as_one_message_in_deltas():
    found = told(said({"text": "Hel"}), said({"text": "lo"}, reason="STOP"))
    whole = found[-1]["response"]

    assert types(found) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["delta"] for event in found if "delta" in event] == ["Hel", "lo"]
    assert (whole["id"], whole["status"], whole["model"]) == (f"resp_{NUMBER}", "completed", "a/b")
    assert Response.model_validate(whole).output_text == "Hello"
    assert whole["usage"]["output_tokens"] == 7
    assert whole["usage"]["output_tokens_details"] == {"reasoning_tokens": 2}


def test_thoughts_words_pictures_and_calls_are_items_in_their_order():
    picture = {"inlineData": {"mimeType": "image/png", "data": "QQ=="}}
    nameless = {"functionCall": {"name": "weather", "args": {}}}
    found = told(said({"text": "Hm", "thought": True}), said({"text": "So."}, picture, CALL, nameless, reason="STOP"))
    output = found[-1]["response"]["output"]

    assert [item["type"] for item in output] == [
        "reasoning",
        "message",
        "image_generation_call",
        "function_call",
        "function_call",
    ]
    assert output[0]["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert output[2]["result"] == "QQ=="
    assert [item["call_id"] for item in output[3:]] == ["c1", "call_1_weather"]
    assert {**output[3], "id": None, "status": None} == {**CALLED, "id": None, "status": None}
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert done == output
    assert [event["output_index"] for event in found if event["type"] == "response.output_item.added"] == list(range(5))
    assert list(calls_in([CALL, nameless])) == ["c1", "call_1_weather"]


@pytest.mark.parametrize(
    ("last", "event", "status", "why"),
    [
        (said(reason="STOP"), "completed", "completed", None),
        (said(reason="MAX_TOKENS"), "incomplete", "incomplete", "max_output_tokens"),
        (said(reason="SAFETY"), "incomplete", "incomplete", "content_filter"),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "incomplete", "incomplete", "content_filter"),
        (events.stopped(), "incomplete", "cancelled", None),
        ({"error": {"code": 429, "message": "Too many."}}, "failed", "failed", None),
        (
            {
                "error": {"code": 400, "message": "blocked"},
                "wondercam": {"end": "failed", "gemini": {"promptFeedback": {"blockReason": "SAFETY"}}},
            },
            "incomplete",
            "incomplete",
            "content_filter",
        ),
    ],
    ids=["stop", "length", "safety", "blocked", "stopped", "failed", "blocked by Gemini"],
)
def test_every_end_has_an_event(last: dict[str, Any], event: str, status: str, why: str | None):
    found = told(said({"text": "Hel"}), last)
    whole = found[-1]["response"]

    assert found[-1]["type"] == f"response.{event}"
    assert whole["status"] == status
    assert whole["incomplete_details"] == (why and {"reason": why})
    assert whole["output"][0]["status"] == ("completed" if status == "completed" else "incomplete")
    assert (whole["error"] is not None) == (status == "failed")


def test_a_failure_has_openais_code():
    found = told({"error": {"code": 429, "message": "Too many."}})
    assert found[-1]["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Too many."}


def test_what_has_come_so_far_is_the_response_before_its_end():
    translated = new()
    translated.begin()
    translated.of(said({"text": "Hel"}))
    found = translated.response()

    assert found["status"] == "in_progress"
    assert found["output"][0]["status"] == "in_progress"
    assert Response.model_validate(found).output_text == "Hel"


def test_the_end_of_a_reading_is_an_error_event_with_the_next_number():
    translated = new()
    translated.begin()
    found = translated.cut({"code": 404, "message": "Deleted."})
    assert found == {
        "type": "error",
        "sequence_number": 2,
        "code": "server_error",
        "message": "Deleted.",
        "param": None,
    }
