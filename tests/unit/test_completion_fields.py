"""Every field of a request of OpenAI's API is translated, passed on, passed over by name, or refused; none is lost."""

import json
from typing import Any

import msgspec
import pytest

from chat.protocol.completions import Completion
from chat.protocol.errors import InvalidArgument
from chat.protocol.openai_responses import ResponseRequest
from chat.protocol.prompt import CHAT_COMPLETION, Model, Prompt
from chat.providers import gemini, openai_format
from chat.views.gemini import Asked

HI = {"role": "user", "content": "Hi"}
FUNCTION: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "strict": True, "parameters": {"type": "object"}},
}
SCHEMA = {"name": "n", "strict": True, "schema": {"type": "object"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}}
UNKNOWN_HERE = {"web_search_options", "access_programs", "image"}
"""What OpenAI's SDK knows and this server refuses by its name."""


def asked(**fields: Any) -> Completion:
    return msgspec.convert({"messages": [HI], **fields}, Completion)


def sent(found: Completion | ResponseRequest, model: Model | None = None) -> dict[str, Any]:
    """The body of the request to the model's server."""
    model = model or Model("openai", "m")
    contents = found.contents({}) if isinstance(found, ResponseRequest) else found.contents()
    turn = Asked(model, contents, found.system(), found.generation(), found.extra())
    prompt = Prompt(model, contents, found.system(), turn.generation, turn.extra)
    return (gemini if model.provider == "gemini" else openai_format).request_of(prompt)


@pytest.mark.slow
def test_each_field_of_their_sdk_is_known_or_refused():
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase
    from openai.types.responses.response_create_params import ResponseCreateParamsBase

    pairs: list[tuple[Any, Any]] = [
        (Completion, CompletionCreateParamsBase),
        (ResponseRequest, ResponseCreateParamsBase),
    ]
    for shape, theirs in pairs:
        ours = {field.encode_name for field in msgspec.structs.fields(shape)}
        assert set(theirs.__annotations__) - ours <= UNKNOWN_HERE


PASSED_ON: dict[str, Any] = {
    "reasoning_effort": "low",
    "verbosity": "low",
    "parallel_tool_calls": False,
    "logit_bias": {"7": -100},
    "min_p": 0.1,
    "repetition_penalty": 1.1,
    "chat_template_kwargs": {"enable_thinking": False},
    "top_k": 5,
}


@pytest.mark.parametrize("name", PASSED_ON)
def test_a_field_of_this_api_alone_is_passed_on_to_its_servers(name: str):
    assert sent(asked(**{name: PASSED_ON[name]}))[name] == PASSED_ON[name]


def test_strict_schemas_and_functions_stay_strict():
    body = sent(asked(response_format={"type": "json_schema", "json_schema": SCHEMA}, tools=[FUNCTION]))
    assert body["response_format"] == {"type": "json_schema", "json_schema": SCHEMA}
    assert body["tools"] == [FUNCTION]


def test_a_responses_fields_reach_a_server_of_chat_completions():
    text = {"format": {"type": "json_schema", **SCHEMA}, "verbosity": "low"}
    given = {"input": "Hi", "reasoning": {"effort": "low"}, "text": text, "parallel_tool_calls": False}
    given["tools"] = [{"type": "function", **FUNCTION["function"]}]
    body = sent(msgspec.convert(given, ResponseRequest))
    assert body["response_format"] == {"type": "json_schema", "json_schema": SCHEMA}
    assert body["tools"] == [FUNCTION]
    assert (body["reasoning_effort"], body["verbosity"], body["parallel_tool_calls"]) == ("low", "low", False)


def test_gemini_gets_its_own_words_for_them_or_nothing():
    format = {"type": "json_schema", "json_schema": SCHEMA}
    found = asked(response_format=format, tools=[FUNCTION], reasoning_effort="low", verbosity="low", top_k=5)
    body = sent(found, Model("gemini", "m"))
    assert set(body) == {"contents", "generationConfig", "tools"}
    assert body["generationConfig"] == {
        "topK": 5,
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA["schema"],
    }
    assert CHAT_COMPLETION not in gemini.request_of(Prompt(Model("gemini", "m"), [], extra={CHAT_COMPLETION: {"a": 1}}))


@pytest.mark.parametrize("name", ["logit_bias", "min_p", "chat_template_kwargs"])
def test_what_gemini_has_no_word_for_is_refused_by_its_name(name: str):
    with pytest.raises(InvalidArgument, match=name):
        sent(asked(**{name: PASSED_ON[name]}), Model("gemini", "m"))


def test_a_model_without_functions_gets_none_by_another_way():
    body = sent(asked(tools=[FUNCTION], parallel_tool_calls=False), Model("ollama", "m", functions=False))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)


REFUSED: list[dict[str, Any]] = [
    {"logprobs": True},
    {"top_logprobs": 3},
    {"function_call": "auto"},
    {"web_search_options": {}},
    {"temperatur": 1},
    {"tool_choice": "required"},
    {"tools": [FUNCTION], "tool_choice": "always"},
    {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "other"}}},
    {"tools": [FUNCTION], "tool_choice": {"type": "custom", "custom": {"name": "f"}}},
    {"tools": [{"type": "function", "function": {"name": ""}}]},
    {"response_format": {"type": "json_schema"}},
    {"messages": [{"role": "system", "content": [IMAGE]}, HI]},
    {"messages": [HI, {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, HI]},
    {"messages": [HI, {"role": "assistant", "audio": {"id": "a"}}, HI]},
    {
        "messages": [
            HI,
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": [IMAGE]},
        ]
    },
]


@pytest.mark.parametrize("fields", REFUSED, ids=json.dumps)
def test_what_would_be_lost_is_refused(fields: dict[str, Any]):
    with pytest.raises((InvalidArgument, msgspec.ValidationError)):
        sent(asked(**fields))


def test_what_is_empty_or_off_asks_for_nothing():
    assert sent(asked(logprobs=False, logit_bias={}, functions=[], stop=["", ""], top_logprobs=0)) == sent(asked())


def test_allowed_tools_are_those_that_may_be_called():
    other = {"type": "function", "function": {"name": "g"}}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}
    found = asked(tools=[FUNCTION, other], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    body = sent(found)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f"]
    assert body["tool_choice"] == "required"


def test_a_refusal_and_a_picture_in_the_history_are_said_again():
    said = [{"role": "assistant", "content": None, "refusal": "No."}, {"role": "assistant", "content": [IMAGE]}]
    first, second = asked(messages=[HI, *said, HI]).contents()[1:3]
    assert first["parts"] == [{"text": "No."}]
    assert second["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}]


@pytest.mark.parametrize("url", ["DATA:image/PNG;BASE64,QQ==", "data:image/png;charset=utf-8;base64,QQ%3D%3D"])
def test_an_address_with_data_may_be_written_in_any_way_that_browsers_read(url: str):
    (content,) = asked(messages=[{"role": "user", "content": [{**IMAGE, "image_url": {"url": url}}]}]).contents()
    assert content["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}]
