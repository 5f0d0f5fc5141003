"""The endpoints for clients of Gemini's and OpenAI's APIs: accepted fields, and refused ones."""

import json
from typing import Any

import pytest
from django.test import AsyncClient

from chat.accounts import tokens
from chat.models import Message
from chat.protocol.errors import InvalidArgument
from chat.protocol.prompt import Model
from chat.protocol.proto_json import camel_case
from chat.views.gemini import Asked
from tests.inside import Core

GENERATE = "/v1beta/models/script:generateContent"
WORDS = {"contents": [{"parts": [{"text": "words=3"}]}]}


async def post(core: Core, path: str, body: dict[str, Any], **query: str) -> Any:
    """Send as JSON with an access token."""
    headers = {"Authorization": f"Bearer {tokens.access_for(core.user)}"}
    return await AsyncClient().post(
        path, json.dumps(body), content_type="application/json", query_params=query, headers=headers
    )


def test_names_become_camel_case_and_what_a_user_has_named_stays():
    given = {
        "system_instruction": {"parts": [{"inline_data": {"mime_type": "a"}}]},
        "tools": [
            {
                "function_declarations": [
                    {"parameters": {"properties": {"first_name": {"any_of": [{"min_items": 1}]}}, "required": ["a_b"]}}
                ]
            }
        ],
        "contents": [{"parts": [{"function_call": {"args": {"first_name": {"x_y": 1}}}, "thought_signature": "s"}]}],
        "generation_config": {"response_json_schema": {"$defs": {"a_b": {}}}, "response_schema": {"max_items": 2}},
        "labels": {"my_team": "a"},
    }
    assert camel_case(given) == {
        "systemInstruction": {"parts": [{"inlineData": {"mimeType": "a"}}]},
        "tools": [
            {
                "functionDeclarations": [
                    {"parameters": {"properties": {"first_name": {"anyOf": [{"minItems": 1}]}}, "required": ["a_b"]}}
                ]
            }
        ],
        "contents": [{"parts": [{"functionCall": {"args": {"first_name": {"x_y": 1}}}, "thoughtSignature": "s"}]}],
        "generationConfig": {"responseJsonSchema": {"$defs": {"a_b": {}}}, "responseSchema": {"maxItems": 2}},
        "labels": {"my_team": "a"},
    }


async def test_a_key_in_the_address_is_taken_and_a_wrong_one_is_refused(core: Core):
    client, key = AsyncClient(), tokens.access_for(core.user)
    taken = await client.get("/v1beta/models", query_params={"key": key})
    refused = await client.get("/v1beta/models", query_params={"key": "wrong"})
    elsewhere = await client.get("/v2/models", query_params={"key": key})

    assert (taken.status_code, refused.status_code, elsewhere.status_code) == (200, 401, 401)


async def test_models_come_in_pages_in_both_shapes(core: Core, monkeypatch: pytest.MonkeyPatch):
    headers = {"x-goog-api-key": tokens.access_for(core.user)}
    ask = AsyncClient().get
    everything = (await ask("/v1/models", headers=headers)).json()
    names = [model["name"] for model in everything["models"]]
    first = (await ask("/v1/models", {"pageSize": "1"}, headers=headers)).json()
    rest = (await ask("/v1/models", {"pageToken": first.get("nextPageToken", "0")}, headers=headers)).json()
    wrong = await ask("/v1/models", {"pageToken": "x"}, headers=headers)

    assert [f"models/{model['id']}" for model in everything["data"]] == names
    assert not any(model["name"].startswith("models/") for model in everything["data"])  # what clients show
    assert everything["object"] == "list"
    assert first["models"] == everything["models"][:1]
    assert rest["models"] == everything["models"][1:] or len(names) == 1
    assert wrong.status_code == 400


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "path", ["/v1beta/modles", "/v1alpha/files", "/v1beta/models/m:embedContent/x", "/v1/embeddings", "/v2/nothing"]
)
async def test_an_unknown_address_is_json_with_debug_too(path: str, debug: bool, settings: Any):
    settings.DEBUG = debug
    response = await AsyncClient().post(path, "{}", content_type="application/json")

    assert response.status_code in (401, 404, 405)
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1beta/models/m:embedContent", "/v1/models/a/b:predict/", "/v1beta/models/m:x"])
async def test_a_method_that_is_not_there_is_named(path: str):
    """Google's SDKs ask `models/…:embedContent`; a 405 that speaks of GET would help nobody."""
    response = await AsyncClient().post(path, "{}", content_type="application/json")
    name = path.rstrip("/").rpartition(":")[2]
    assert response.status_code == 404
    assert response.json()["error"]["message"].startswith(
        f"There is no method '{name}' here: there are generateContent"
    )


async def test_contents_of_the_model_without_parts_are_left_out(core: Core):
    """Google's SDK for Python sends the empty last chunk of a streamed call in its second leg."""
    said = [{"role": "user", "parts": [{"text": "words=1"}]}, {"role": "model", "parts": [{"text": "One"}]}]
    for empty in ({"role": "model"}, {"role": "model", "parts": []}, {"role": "model", "parts": None}):
        contents = [*said, empty, {"role": "user", "parts": [{"text": "words=2"}]}]
        response = await post(core, "/v1beta/models/script:generateContent", {"contents": contents})
        assert response.status_code == 200, response.json()
    for wrong in ([*said, empty], [{"role": "user", "parts": []}, *said[:1]]):
        response = await post(core, "/v1beta/models/script:generateContent", {"contents": wrong})
        assert response.status_code == 400


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/responses/input_tokens"])
async def test_every_error_of_openais_api_has_its_shape(path: str, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    wrong_method = await AsyncClient().put(path)
    monkeypatch.setattr("chat.accounts.tokens.authenticate", broken)
    failed = await AsyncClient(raise_request_exception=False).post(path, "{}", content_type="application/json")

    assert (wrong_method.status_code, failed.status_code) == (405, 500)
    for response in (wrong_method, failed):
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"].endswith(".")


async def test_contents_in_any_spelling_of_proto3_are_asked_and_kept(core: Core):
    body = {
        "contents": {"parts": {"text": "words=3"}},
        "system_instruction": {"parts": {"text": "Be brief."}},
        "generation_config": {"max_output_tokens": 9, "temperature": None},
        "safety_settings": [],
    }
    response = await post(core, GENERATE, body)

    assert response.status_code == 200, response.content
    assert response.json()["candidates"][0]["finishReason"] == "STOP"
    sent = core.model.asked[-1].json()
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert sent["max_tokens"] == 9


async def test_calls_and_results_in_the_history_reach_a_server_of_chat_completions(core: Core):
    call = {"function_call": {"name": "weather", "args": {"the_city": "Rom"}}, "thought_signature": "c2ln"}
    result = {"function_response": {"name": "weather", "response": {"the_degrees": 30}}}
    contents = [
        {"role": "user", "parts": [{"text": "words=2"}]},
        {"role": "model", "parts": [{"text": "Hm", "thought": True}, call]},
        {"role": "function", "parts": [result]},
    ]
    declared = [{"function_declarations": [{"name": "weather", "parameters": {"type": "OBJECT"}}]}]
    response = await post(core, GENERATE, {"contents": contents, "tools": declared})

    assert response.status_code == 200, response.content
    sent = core.model.asked[-1].json()
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool"]
    assert sent["messages"][1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"the_city": "Rom"}'}
    assert sent["messages"][2]["content"] == '{"the_degrees": 30}'
    assert sent["messages"][2]["tool_call_id"] == sent["messages"][1]["tool_calls"][0]["id"]
    stored = [message async for message in Message.objects.order_by("created_at")]
    assert stored[1].parts[1]["thoughtSignature"] == "c2ln"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({**WORDS, "cachedContent": "cachedContents/x"}, "cachedContent"),
    ({**WORDS, "someFutureField": 1}, "someFutureField"),
    ({**WORDS, "tools": [{"googleSearch": {}}]}, "googleSearch"),
    ({"contents": [{"parts": [{"fileData": {"fileUri": "x"}}]}]}, "inlineData"),
    ({"contents": [{"parts": []}]}, "without `parts`"),
    ({"contents": [{"role": "king", "parts": [{"text": "x"}]}]}, "`role`"),
    ({"contents": [{"role": "model", "parts": [{"text": "x"}]}]}, "ends with the model's"),
    ({"contents": 7}, "expected shape"),
    ({"contents": []}, "`contents` is empty"),
    ({}, "expected shape"),
    ({**WORDS, "tools": ["x"]}, "list of objects"),
    ({**WORDS, "tools": [{"functionDeclarations": [7]}]}, "without a name"),
    ({**WORDS, "tools": [{"functionDeclarations": "weather"}]}, "without a name"),
    ({"contents": [{"parts": [{"functionCall": "weather"}]}]}, "functionCall"),
    ({"contents": [{"parts": [{"functionResponse": [1]}]}]}, "functionResponse"),
    ({**WORDS, "systemInstruction": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA"}}]}}, "is text"),
    ({**WORDS, "generationConfig": {"maxOutputTokens": "many"}}, "maxOutputTokens"),
    ({**WORDS, "generationConfig": {"maxOutputTokens": 7.5}}, "maxOutputTokens"),
    ({**WORDS, "generationConfig": {"temperature": "NaN"}}, "temperature"),
]


@pytest.mark.parametrize(("body", "says"), REFUSED, ids=lambda given: json.dumps(given)[:80])
async def test_what_would_have_to_be_left_out_is_refused_by_name(core: Core, body: dict[str, Any], says: str):
    response = await post(core, GENERATE, body)

    assert response.status_code == 400
    assert says in response.json()["error"]["message"]


async def test_numbers_written_as_text_or_with_a_point_are_numbers(core: Core):
    written = {"maxOutputTokens": "9", "temperature": "0.5", "seed": 7.0}
    response = await post(core, GENERATE, {**WORDS, "generationConfig": written})

    assert response.status_code == 200, response.content
    sent = core.model.asked[-1].json()
    assert (sent["max_tokens"], sent["temperature"], sent["seed"]) == (9, 0.5, 7)


async def test_an_enum_may_be_its_number_and_a_list_of_one_its_item(core: Core):
    declared = {"functionDeclarations": {"name": "weather"}}
    config = {"functionCallingConfig": {"mode": 2}}
    response = await post(core, GENERATE, {**WORDS, "tools": declared, "toolConfig": config})

    assert response.status_code == 200, response.content
    sent = core.model.asked[-1].json()
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["weather"]
    assert sent["tool_choice"] == "required"


@pytest.mark.parametrize("odd", ["x", [1], {"functionCallingConfig": "x"}, {"functionCallingConfig": {"mode": 99}}])
async def test_a_choice_of_tools_that_is_none_is_no_fault_of_the_servers(core: Core, odd: Any):
    declared = [{"functionDeclarations": [{"name": "weather"}]}]
    response = await post(core, GENERATE, {**WORDS, "tools": declared, "toolConfig": odd})

    assert response.status_code == 200, response.content
    assert "tool_choice" not in core.model.asked[-1].json()


FUNCTION: dict[str, Any] = {"functionDeclarations": [{"name": "weather"}]}
WORDS_ONLY = Model("local", "small", functions=False)


def choice(mode: str) -> dict[str, Any]:
    return {"functionCallingConfig": {"mode": mode}}


@pytest.mark.parametrize("provider", ["openai", "ollama", "lmstudio", "llamacpp"])
def test_functions_are_told_to_every_server_of_chat_completions(provider: str):
    extra = {"tools": [FUNCTION], "toolConfig": choice("ANY")}
    assert Asked(Model(provider, "m"), WORDS["contents"], None, {}, extra).extra == extra


@pytest.mark.parametrize("config", [{}, {"toolConfig": choice("AUTO")}, {"toolConfig": choice("NONE")}])
def test_functions_that_may_be_left_uncalled_are_not_told_to_a_model_of_words(config: dict[str, Any]):
    extra = {"tools": [FUNCTION], "labels": {"team": "a"}, **config}
    assert Asked(WORDS_ONLY, WORDS["contents"], None, {}, extra).extra == {"labels": {"team": "a"}}


@pytest.mark.parametrize(
    "extra", [{"tools": [FUNCTION], "toolConfig": choice("ANY")}, {"tools": [{"googleSearch": {}}]}, {"tools": ["x"]}]
)
def test_tools_that_change_the_answer_are_refused_by_a_model_of_words(extra: dict[str, Any]):
    with pytest.raises(InvalidArgument, match="local/small calls no functions and has no tools: leave `tools` out"):
        Asked(WORDS_ONLY, WORDS["contents"], None, {}, extra)


def test_calls_in_the_history_are_refused_by_a_model_of_words():
    history: list[dict[str, Any]] = [
        {"role": "model", "parts": [{"functionCall": {"name": "weather"}}]},
        *WORDS["contents"],
    ]
    with pytest.raises(InvalidArgument, match="calls no functions"):
        Asked(WORDS_ONLY, history, None, {}, {})


@pytest.mark.parametrize("method", ["generateContent", "countTokens"])
async def test_a_model_with_a_colon_in_its_name_is_found(core: Core, method: str):
    response = await post(core, f"/v1beta/models/gemma3:4b:{method}", WORDS)

    assert response.status_code == 404
    assert "'gemma3:4b'" in response.json()["error"]["message"]


@pytest.mark.parametrize("prefix", ["/v1beta/models/", "/v1beta/", "/v1/models/", "/v1alpha/models/"])
@pytest.mark.parametrize("method", ["generateContent", "countTokens"])
async def test_a_model_is_asked_by_its_id_with_its_provider(core: Core, prefix: str, method: str):
    response = await post(core, f"{prefix}openai/script:{method}", WORDS)

    assert response.status_code == 200, response.content


async def test_tokens_are_counted_or_guessed(core: Core):
    path = "/v1beta/models/script:countTokens"
    plain = await post(core, path, WORDS)
    inner = await post(core, path, {"generate_content_request": {"model": "models/script", **WORDS}})

    assert plain.json() == inner.json() == {"totalTokens": 3}


async def test_openais_errors_have_openais_shape(core: Core):
    response = await post(core, "/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "model": "no"})

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("inner", ["x", [[]], True, 7])
async def test_a_request_to_count_that_is_no_object_is_refused(core: Core, inner: Any):
    response = await post(core, "/v1beta/models/script:countTokens", {"generateContentRequest": inner})

    assert response.status_code == 400
    assert "generateContentRequest" in response.json()["error"]["message"]
