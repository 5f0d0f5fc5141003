"""What servers leave in chat completions that is no part of the answer, or send in a form of another API."""

from typing import Any

import pytest

from chat.protocol.errors import Truncated, Unavailable
from chat.protocol.openai_tools import Calls
from chat.providers.http.error_mapping import error_for
from chat.providers.openai_format import CompletionReader


def read(texts: list[Any], model: str = "x", reason: str = "stop") -> tuple[str, str, list[Any]]:
    """The thoughts, the text and the pictures that come of these contents."""
    reader = CompletionReader(model, "The server")
    deltas = [{"delta": {"content": text}} for text in texts] + [{"delta": {}, "finish_reason": reason}]
    chunks = [given for each in deltas for given in reader.read({"choices": [{"index": 0, **each}]})]
    parts = [part for given in [*chunks, *reader.end(done=True)] for part in given.parts]
    thoughts = "".join(part["text"] for part in parts if part.get("thought"))
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    return thoughts, text, [part["inlineData"] for part in parts if "inlineData" in part]


FINAL = "<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("model", "texts", "expected"),
    [
        ("x", [FINAL, "Rain.", "<|return|>"], "Rain."),
        ("x", [FINAL + "Rain.<", "|ret", "urn|>\n"], "Rain."),
        ("x", [FINAL + "Rain.<|end|>"], "Rain."),
        ("openai/gpt-oss-20b", ["Rain.", "<|return|>"], "Rain."),
        ("gpt-oss:20b", ["1 <", " 2 <|x|> and <|return|> too"], "1 < 2 <|x|> and <|return|> too"),
        ("gpt-oss:20b", ["a <|ret"], "a <|ret"),
        ("x", ["It ends with <|return|>"], "It ends with <|return|>"),
    ],
)
def test_the_end_of_a_message_of_gpt_oss_is_no_text(model: str, texts: list[str], expected: str) -> None:
    assert read(texts, model)[1] == expected


@pytest.mark.parametrize(
    "texts",
    [
        ['<think duration="3">Hm.</think>\n\nRain.'],
        ["<thi", "nk\n time", "='1'>H", "m.</think>", "Rain."],
        ["<Thinking effort=low>Hm.</thinking>Rain."],
    ],
)
def test_an_opening_tag_may_have_attributes(texts: list[str]) -> None:
    assert read(texts)[:2] == ("Hm.", "Rain.")


@pytest.mark.parametrize("text", ["<think about it: rain", "<thinker a>Rain.", "<think a < b>c"])
def test_what_only_looks_like_a_tag_is_text(text: str) -> None:
    assert read([text])[:2] == ("", text)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"inline_data": {"mime_type": "image/png", "data": "aGk="}},
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
    ],
)
def test_a_picture_in_the_form_of_another_api_is_shown(item: dict[str, Any]) -> None:
    assert read([[item, {"type": "text", "text": "There."}]])[1:] == (
        "There.",
        [{"mimeType": "image/png", "data": "aGk="}],
    )


def test_a_picture_by_address_in_anthropics_form_is_told() -> None:
    assert (
        read([[{"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}]])[1]
        == "https://a.example/x.png"
    )


@pytest.mark.parametrize(
    "given",
    [
        ['{"ci', '{"city": "Ri', '{"city": "Riga"}'],
        ["", '{"city": "Riga"', '{"city": "Riga"}', '{"city": "Riga"}'],
        [{"city": "Ri"}, {"city": "Riga"}],
        ['{"ci', 'ty": "Ri', 'ga"}'],
    ],
)
def test_arguments_may_come_so_far_with_each_piece(given: list[Any]) -> None:
    calls = Calls()
    for number, arguments in enumerate(given):
        first = {} if number else {"id": "a", "type": "function"}
        calls.add({"tool_calls": [{"index": 0, **first, "function": {"name": "weather", "arguments": arguments}}]})
    assert calls.are_whole
    assert [part["functionCall"] for part in calls.parts()] == [
        {"id": "a", "name": "weather", "args": {"city": "Riga"}}
    ]


def lines(*objects: dict[str, Any]) -> tuple[str, str]:
    """The text and the finishReason that come of these chunks."""
    reader = CompletionReader("x", "The server")
    chunks = [given for each in objects for given in reader.read(each)] + reader.end(done=False)
    text = "".join(part.get("text", "") for given in chunks for part in given.parts if not part.get("thought"))
    return text, reader.reason


SAID = {"message": {"role": "assistant", "content": "Rain."}, "done": False}


@pytest.mark.parametrize(
    "objects",
    [
        (SAID, {"done": True, "done_reason": "stop"}),
        (SAID, {"message": None, "done": True, "done_reason": "stop"}),
        ({"response": "Ra", "done": False}, {"response": "in.", "done": True, "done_reason": "stop"}),
        ({"response": "", "thinking": "Hm.", "done": False}, {"response": "Rain.", "done": True}),
    ],
)
def test_the_last_line_of_ollama_may_be_without_a_message(objects: tuple[dict[str, Any], ...]) -> None:
    assert lines(*objects) == ("Rain.", "STOP")


def test_a_model_that_was_only_loaded_has_answered_nothing() -> None:
    with pytest.raises(Truncated):
        lines({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "load"})


@pytest.mark.parametrize("reason", [["stop"], {"type": "stop"}, True])
def test_a_finish_reason_in_a_list_or_an_object_is_that_reason(reason: Any) -> None:
    assert lines({"choices": [{"index": 0, "delta": {"content": "Rain."}, "finish_reason": reason}]}) == (
        "Rain.",
        "STOP",
    )


@pytest.mark.parametrize("name", ["data", "result", "response", "output"])
def test_a_chunk_in_an_envelope_is_read(name: str) -> None:
    assert lines({name: {"choices": [{"delta": {"content": "Rain."}, "finish_reason": "stop"}]}}) == ("Rain.", "STOP")


@pytest.mark.parametrize("code", [409, 423, 424])
def test_a_conflict_at_the_server_is_no_fault_of_the_question(code: int) -> None:
    assert isinstance(error_for(code, "The server"), Unavailable)
