"""Function calls in streams of chat completions: indexes, names and arguments in the servers' many forms."""

from typing import Any

import pytest

from chat.protocol.openai_tools import Calls
from chat.providers.openai_format import CompletionReader

X, Y = '{"x": 1}', '{"y": 2}'


def piece(index: Any, name: str | None, arguments: Any, **fields: Any) -> dict[str, Any]:
    """One element of `tool_calls`; without an index where that is "none"."""
    counted = {} if index == "none" else {"index": index}
    return {**counted, **fields, "function": {"name": name, "arguments": arguments}}


TWO = [
    ("counted", [[piece(0, "f", X, id="a")], [piece(1, "g", Y, id="b")]]),
    ("in one delta, without an index", [[piece("none", "f", X, id="a"), piece("none", "g", Y, id="b")]]),
    (
        "in pieces, without an index",
        [
            [piece("none", "f", X[:3], id="a")],
            [piece("none", None, X[3:])],
            [piece("none", "g", Y[:3], id="b")],
            [piece("none", None, Y[3:])],
        ],
    ),
    (
        "in pieces, all of index 0",
        [[piece(0, "f", "", id="a")], [piece(0, None, X)], [piece(0, "g", "", id="b")], [piece(0, None, Y)]],
    ),
    ("all of index 0, without an id", [[piece(0, "f", X)], [piece(0, "g", Y)]]),
    (
        "in pieces, of index 0, without an id",
        [[piece(0, "f", ""), piece(0, None, X)], [piece(0, "g", ""), piece(0, "", Y)]],
    ),
    (
        "in turn",
        [[piece(0, "f", "", id="a"), piece(1, "g", "", id="b")], [piece(1, None, Y)], [piece(0, None, X)]],
    ),
    ("without an index or an id", [[piece("none", "f", X), piece("none", "g", Y)]]),
    (
        "the index null, the id with every piece",
        [[piece(None, "f", X, id="a")], [piece(None, "g", Y[:4], id="b")], [piece(None, "g", Y[4:], id="b")]],
    ),
]


@pytest.mark.parametrize("deltas", [deltas for _, deltas in TWO], ids=[name for name, _ in TWO])
def test_two_calls_stay_two(deltas: list[list[dict[str, Any]]]) -> None:
    calls = Calls()
    for delta in deltas:
        calls.add({"tool_calls": delta})
    found = [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in calls.parts()]
    assert found == [("f", {"x": 1}), ("g", {"y": 2})]
    assert not calls


ONE = [
    ("a name in pieces", [piece(0, "get_", "", id="a"), piece(0, "weather", X)]),
    ("a name that grows", [piece(0, "get_", "", id="a"), piece(0, "get_weather", X)]),
    ("the name with every piece", [piece(0, "get_weather", X[:3], id="a"), piece(0, "get_weather", X[3:], id="a")]),
    ("an empty id behind the first piece", [piece(0, "get_weather", X[:3], id="a"), piece(0, "", X[3:], id="")]),
    ("the whole call twice", [piece(0, "get_weather", X, id="a"), piece(0, "get_weather", X, id="a")]),
    ("arguments as an object", [piece(0, "get_weather", {"x": 1}, id="a")]),
    ("a new id with every piece", [piece(0, "get_weather", X[:3], id="a"), piece(0, None, X[3:], id="b")]),
    ("no arguments, then arguments", [piece(0, "get_weather", "{}", id="a"), piece(0, None, X)]),
    ("arguments that are JSON in JSON", [piece(0, "get_weather", '"{\\"x\\": 1}"', id="a")]),
    ("no object for the function", [{"index": 0, "id": "a", "name": "get_weather", "arguments": X}]),
]


@pytest.mark.parametrize("pieces", [pieces for _, pieces in ONE], ids=[name for name, _ in ONE])
def test_one_call_stays_one(pieces: list[dict[str, Any]]) -> None:
    calls = Calls()
    for each in pieces:
        calls.add({"tool_calls": [each]})
    assert [part["functionCall"] for part in calls.parts()] == [{"id": "a", "name": "get_weather", "args": {"x": 1}}]


def test_a_call_may_come_without_the_list_around_it() -> None:
    calls = Calls()
    calls.add({"tool_calls": piece(0, "f", X, id="a")})
    assert [part["functionCall"] for part in calls.parts()] == [{"id": "a", "name": "f", "args": {"x": 1}}]


def test_a_tool_that_is_no_function_is_no_call() -> None:
    calls = Calls()
    calls.add({"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}}]})
    with pytest.raises(ValueError, match="no function's name"):
        calls.parts()


@pytest.mark.parametrize("after", [X, None])
def test_the_arguments_of_a_call_may_come_after_the_reason(after: str | None) -> None:
    reader = CompletionReader("m", "X", tools=True)
    reader.read(choice({"tool_calls": [piece(0, "f", "", id="a")]}, "tool_calls"))
    if after:
        reader.read(choice({"tool_calls": [piece(0, None, after)]}))
    (last,) = reader.end(done=True)
    assert [part["functionCall"]["args"] for part in last.parts] == [{"x": 1} if after else {}]
    assert last.reason == "STOP"


def test_a_call_without_arguments_is_whole_at_a_reason_of_its_own() -> None:
    reader = CompletionReader("m", "X", tools=True)
    reader.read(choice({"tool_calls": [piece(0, "f", "", id="a")]}))
    (last,) = reader.read(choice({}, "tool_calls"))
    assert [part["functionCall"]["args"] for part in last.parts] == [{}]
    assert (last.reason, reader.end(done=False)) == ("STOP", [])


def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def test_arguments_that_are_cut_off_are_no_call() -> None:
    calls = Calls()
    calls.add({"tool_calls": [piece(0, "f", X[:4], id="a")]})
    with pytest.raises(ValueError, match="delimiter"):
        calls.parts()


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        ([piece("0", "f", X[:3], id="a"), piece(0, None, X[3:])], [{"x": 1}]),
        ([piece("none", "f", X), piece("none", "f", Y)], [{"x": 1}, {"y": 2}]),
        ([piece("none", "f", X), piece("none", "f", X)], [{"x": 1}]),
        ([piece(0, "f", '{"x": "a\nb"}', id="a")], [{"x": "a\nb"}]),
        ([piece(0, "f", "[]", id="a")], [{}]),
    ],
    ids=["an index as text", "another of the same name", "one repeated", "a line end in a string", "an empty list"],
)
def test_calls_in_forms_of_their_own(given: list[dict[str, Any]], calls: list[dict[str, Any]]) -> None:
    found = Calls()
    for each in given:
        found.add({"tool_calls": [each]})
    assert [part["functionCall"]["args"] for part in found.parts()] == calls
