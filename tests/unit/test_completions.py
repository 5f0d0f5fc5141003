"""Translation of OpenAI's chat completions to Gemini's format and back: text, calls and counts are preserved."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from chat.protocol.completion_chunks import CompletionChunks, error_of
from chat.protocol.completions import Completion
from chat.protocol.errors import InvalidArgument
from chat.protocol.openai_tools import Calls, call_of, json_schema, part_of, tools_of
from chat.protocol.prompt import Model, Prompt
from chat.providers import openai_format

CALL = {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rom"}}, "thoughtSignature": "c2ln"}
RESULT = {"functionResponse": {"id": "c1", "name": "weather", "response": {"degrees": 30}}}
FUNCTION = {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {"city": {}}}}


def asked(**fields: Any) -> Completion:
    """A request as its view reads it."""
    return msgspec.convert({"messages": [{"role": "user", "content": "Hi"}], **fields}, Completion)


def test_messages_become_contents_with_their_photos_calls_and_results():
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rom"}'}}
    call["extra_content"] = {"google": {"thought_signature": "c2ln"}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QQ=="}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"degrees": 30}'},
        {"role": "user", "content": "And now?"},
    ]
    found = asked(messages=messages)

    assert found.system() == "Be brief.\n\nBe kind."
    assert found.contents() == [
        {
            "role": "user",
            "parts": [{"text": "What is this?"}, {"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}],
        },
        {"role": "model", "parts": [CALL]},
        {"role": "user", "parts": [RESULT]},
        {"role": "user", "parts": [{"text": "And now?"}]},
    ]


def test_a_conversation_with_calls_is_the_same_after_both_translations():
    found = asked(
        messages=[
            {"role": "user", "content": "How warm?"},
            {"role": "assistant", "content": None, "tool_calls": [call_of(CALL, 0)]},
            {"role": "tool", "tool_call_id": "c1", "content": json.dumps({"degrees": 30})},
        ],
        tools=[{"type": "function", "function": FUNCTION}],
        tool_choice="required",
    )
    prompt = Prompt(Model("openai", "m"), found.contents(), extra=found.extra())
    body = openai_format.request_of(prompt)

    assert body["messages"] == found.messages
    assert body["tools"] == [{"type": "function", "function": FUNCTION}]
    assert body["tool_choice"] == "required"


@pytest.mark.parametrize("ids", [("a", "b", "c"), (None, None, None), ("a", None, None)], ids=str)
def test_a_result_without_an_id_answers_the_first_call_of_its_function(ids: tuple[str | None, ...]):
    def with_id(id: str | None, name: str, **fields: Any) -> dict[str, Any]:
        return {**({"id": id} if id else {}), "name": name, **fields}

    names = ("weather", "clock", "weather")
    calls = [{"functionCall": with_id(id, name, args={})} for id, name in zip(ids, names, strict=True)]
    results = [{"functionResponse": with_id(None, names[at], response={"at": at})} for at in (1, 0, 2)]
    contents = [{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": calls}]
    contents.append({"role": "user", "parts": results})
    _, said, *answered = openai_format.request_of(Prompt(Model("openai", "m"), contents))["messages"]

    called = [call["id"] for call in said["tool_calls"]]
    assert len({*called}) == 3
    assert [message["tool_call_id"] for message in answered] == [called[1], called[0], called[2]]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://example.test/a.png"}}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
        {"role": "user", "content": 7},
        {"role": "tool", "tool_call_id": "unknown", "content": "x"},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{"}}]},
        {"role": "tool", "tool_call_id": ["unknown"], "content": "x"},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": "f"}]},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": ["f"], "arguments": "{}"}}]},
        {"role": "king", "content": "x"},
    ],
    ids=json.dumps,
)
def test_what_cannot_be_said_here_is_refused(message: dict[str, Any]):
    with pytest.raises(InvalidArgument):
        asked(messages=[message]).contents()


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_schema", "json_schema": "x"}},
        {"response_format": {"type": ["text"]}},
        {"tools": [{"type": "function", "function": "f"}]},
        {"tools": [{"type": "function", "function": {"name": ["f"]}}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"function": "f"}},
    ],
    ids=json.dumps,
)
def test_a_field_of_an_odd_shape_is_refused_or_passed_over(fields: dict[str, Any]):
    found = asked(**fields)
    with suppress(InvalidArgument):
        assert found.generation() | found.extra()


def test_generation_settings_have_geminis_names_and_schemas_are_kept():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    found = asked(max_tokens=5, stop="X", response_format={"type": "json_schema", "json_schema": {"schema": schema}})

    assert found.generation() == {
        "maxOutputTokens": 5,
        "stopSequences": ["X"],
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    body = openai_format.request_of(Prompt(Model("openai", "m"), found.contents(), generation=found.generation()))
    assert body["response_format"]["json_schema"]["schema"] == schema


def test_geminis_schema_becomes_json_schema_and_property_names_stay():
    schema = {"type": "OBJECT", "properties": {"type": {"type": "STRING", "nullable": True, "enum": ["A"]}}}
    assert json_schema(schema) == {
        "type": "object",
        "properties": {"type": {"type": ["string", "null"], "enum": ["A"]}},
    }


def test_a_tool_of_googles_own_is_refused_by_name():
    with pytest.raises(InvalidArgument, match="googleSearch"):
        tools_of({"tools": [{"googleSearch": {}}]})


@pytest.mark.parametrize(
    "deltas",
    [
        [
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]},
            {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]},
        ],
        [
            {
                "tool_calls": [
                    {"id": "a", "function": {"name": "f", "arguments": {"x": 1}}},
                    {"id": "b", "function": {"name": "g"}},
                ]
            }
        ],
        [
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}}]},
            {"tool_calls": [{"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}}]},
        ],
    ],
    ids=["in pieces", "without an index, as objects", "all with index 0"],
)
def test_calls_are_put_together_however_they_are_cut(deltas: list[dict[str, Any]]):
    calls = Calls()
    for delta in deltas:
        calls.add(delta)

    assert calls.parts() == [
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
    ]


def test_a_call_whose_arguments_are_no_object_is_none():
    with pytest.raises(ValueError, match="no function's name, or no arguments"):
        part_of({"function": {"name": "f", "arguments": "[1]"}})


def test_an_openai_servers_calls_end_as_geminis_do_and_a_broken_one_is_named():
    def read(arguments: str) -> Any:
        translation = openai_format.CompletionReader("m", "X", tools=True)
        call = {"index": 0, "id": "c1", "function": {"name": "weather", "arguments": arguments}}
        translation.read({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})
        end = translation.read({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        return [*end, *translation.end(done=True)][-1]

    assert (read('{"city": "Rom"}').reason, read("{").reason) == ("STOP", "MALFORMED_FUNCTION_CALL")
    assert read('{"city": "Rom"}').parts == [{"functionCall": CALL["functionCall"]}]


def test_responses_become_chunks_and_the_whole_answer_says_the_same():
    parts = [{"text": "Hm", "thought": True}, {"text": "It is "}, CALL]
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 10}
    response = {
        "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": usage,
    }
    chunks = CompletionChunks("1", "m", include_usage=True).of(response, 7)
    whole = CompletionChunks("1", "m").whole(response)

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    counted = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
    counted["completion_tokens_details"] = {"reasoning_tokens": 2}  # type: ignore[assignment]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Hm"},
        {"content": "It is "},
        {"tool_calls": [{"index": 0, **call_of(CALL, 0)}]},
        {},
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], counted)
    assert [chunk["wondercam"]["seq"] for chunk in chunks] == [6, 6, 6, 6, 6, 7]  # all of the event is there
    message = whole["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("It is ", "Hm")
    assert message["tool_calls"] == [call_of(CALL, 0)]
    assert (whole["choices"][0]["finish_reason"], whole["usage"]) == ("tool_calls", counted)


@pytest.mark.parametrize(("theirs", "ours"), [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter")])
def test_every_reason_has_a_word_of_openais(theirs: str, ours: str):
    (_, end) = CompletionChunks("1", "m").of({"candidates": [{"finishReason": theirs}]}, 1)
    assert end["choices"][0]["finish_reason"] == ours


def test_a_blocked_prompt_ends_as_filtered():
    (_, end) = CompletionChunks("1", "m").of({"promptFeedback": {"blockReason": "SAFETY"}}, 1)
    assert end["choices"][0]["finish_reason"] == "content_filter"


def test_an_error_has_openais_shape():
    assert error_of({"code": 413, "status": "INVALID_ARGUMENT", "message": "Too long."}) == {
        "error": {
            "message": "Too long.",
            "type": "invalid_request_error",
            "param": None,
            "code": "context_length_exceeded",
        }
    }
