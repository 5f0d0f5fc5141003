"""Tools, translated between OpenAI's chat completions and Gemini's format, in both directions. No I/O.

    Gemini                                                   OpenAI
    tools [{functionDeclarations: [{name, parameters}]}]     tools [{type: function, function: {name, parameters}}]
    toolConfig.functionCallingConfig {mode, allowed…}        tool_choice auto | none | required | {function: {name}}
    part {functionCall: {id, name, args}}                    message.tool_calls [{id, function: {name, arguments}}]
    part {functionResponse: {id, name, response}}            message {role: tool, tool_call_id, content}
    part.thoughtSignature                                    tool_call.extra_content.google.thought_signature

The last line is how Google's own OpenAI-compatible endpoint does it (https://ai.google.dev/gemini-api/docs/openai).
"""

import json
from typing import Any

import msgspec

from chat.protocol.errors import InvalidArgument
from chat.protocol.prompt import Part

Fields = dict[str, Any]

MODES = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}
CHOICES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
MODES |= {"1": "auto", "2": "required", "3": "none"}
"""proto3's JSON may have an enum's number instead of its name."""


def fields_of(value: Any) -> Fields:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def tools_of(extra: Fields) -> Fields:
    """Gemini's `tools` and `toolConfig` as a chat completion's fields; InvalidArgument for tools other than
    functions."""
    declared: list[Any] = []
    for tool in listed(extra.get("tools")):
        if not isinstance(tool, dict):
            raise InvalidArgument("`tools` must be a list of objects.")
        if others := set(tool) - {"functionDeclarations"}:
            raise InvalidArgument(f"This model does not support the tool `{min(others)[:80]}`: leave it out.")
        declared += listed(tool.get("functionDeclarations"))
    if not all(map(is_named, declared)):
        raise InvalidArgument("`tools` has a function without a name.")
    if not declared:
        return {}
    found: Fields = {"tools": [{"type": "function", "function": function_of(each)} for each in declared]}
    config = fields_of(fields_of(extra.get("toolConfig")).get("functionCallingConfig"))
    allowed = listed(config.get("allowedFunctionNames"))
    if len(allowed) == 1:
        found["tool_choice"] = {"type": "function", "function": {"name": allowed[0]}}
    elif mode := MODES.get(str(config.get("mode", ""))):
        found["tool_choice"] = mode
    return found


def may_be_ignored(extra: Fields) -> bool:
    """Whether all `tools` are functions that the model need not call, so that they can be left out."""
    config = fields_of(fields_of(extra.get("toolConfig")).get("functionCallingConfig"))
    mode = MODES.get(str(config.get("mode", "")), "auto")
    return mode != "required" and all(
        set(fields_of(tool)) == {"functionDeclarations"} for tool in listed(extra.get("tools"))
    )


def listed(value: Any) -> list[Any]:
    """The value as a list: a single item becomes a list of one, None an empty one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def is_named(function: Any) -> bool:
    """Whether a function's declaration has a name."""
    return isinstance(name := fields_of(function).get("name"), str) and name != ""


def function_of(declared: Fields) -> Fields:
    """Gemini's function declaration as OpenAI's `function`."""
    schema = declared.get("parametersJsonSchema") or json_schema(declared.get("parameters") or {"type": "object"})
    described = {name: declared[name] for name in ("name", "description") if declared.get(name)}
    return {**described, "parameters": schema}


def json_schema(schema: Any) -> Any:
    """Gemini's `Schema` (types in capitals, `nullable`) as JSON Schema."""
    if isinstance(schema, list):
        return [json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: value for name, value in schema.items() if name not in ("type", "nullable", "properties")}
    found = {name: value if name in ("enum", "default") else json_schema(value) for name, value in found.items()}
    if isinstance(kind := schema.get("type"), str):
        found["type"] = [kind.lower(), "null"] if schema.get("nullable") else kind.lower()
    if isinstance(properties := schema.get("properties"), dict):
        found["properties"] = {name: json_schema(each) for name, each in properties.items()}
    return found


def gemini_tools_of(tools: list[Fields], choice: Any) -> Fields:
    """OpenAI's `tools` and `tool_choice` as Gemini's `tools` and `toolConfig`; InvalidArgument for other tools than
    functions."""
    functions = [tool.get("function") for tool in tools if tool.get("type", "function") == "function"]
    if len(functions) != len(tools) or not all(map(is_named, functions)):
        raise InvalidArgument("`tools` has a tool that is not a function with a name: other types are not supported.")
    if not functions:
        if choice not in (None, "auto", "none"):
            raise InvalidArgument("`tool_choice` needs `tools`.")
        return {}
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        functions, choice = allowed_of(functions, choice)
    declared = [
        {
            **{name: each[name] for name in ("name", "description") if each.get(name)},
            **({"parametersJsonSchema": each["parameters"]} if each.get("parameters") else {}),
        }
        for each in map(fields_of, functions)
    ]
    found: Fields = {"tools": [{"functionDeclarations": declared}]}
    config = config_of(choice, [each["name"] for each in declared])
    return {**found, "toolConfig": {"functionCallingConfig": config}} if config else found


def config_of(choice: Any, names: list[str]) -> Fields:
    """OpenAI's `tool_choice` as Gemini's `functionCallingConfig`; InvalidArgument if it is not valid."""
    if choice is None:
        return {}
    if isinstance(choice, str) and choice in CHOICES:
        return {"mode": CHOICES[choice]}
    name = fields_of(fields_of(choice).get("function")).get("name")
    if name not in names:
        raise InvalidArgument("`tool_choice` must be auto, none, required, or one of the functions in `tools`.")
    return {"mode": "ANY", "allowedFunctionNames": [name]}


def allowed_of(functions: list[Any], choice: Fields) -> tuple[list[Any], Any]:
    """The functions that a `tool_choice` of the type `allowed_tools` names, and its mode. In chat completions these
    fields are in an object `allowed_tools`; in the Responses API they are beside the type."""
    allowed = fields_of(choice.get("allowed_tools")) or choice
    names = [fields_of(each.get("function", each)).get("name") for each in map(fields_of, listed(allowed.get("tools")))]
    return [each for each in functions if each["name"] in names], allowed.get("mode")


def call_of(part: Part, number: int) -> Fields:
    """A part with a `functionCall` as one of OpenAI's `tool_calls`, the `number`th of its message."""
    call = part["functionCall"]
    arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
    found = {
        "id": call.get("id") or f"call_{number}_{call.get('name', '')}",
        "type": "function",
        "function": {"name": str(call.get("name", "")), "arguments": arguments},
    }
    if signature := part.get("thoughtSignature"):
        found["extra_content"] = {"google": {"thought_signature": signature}}
    return found


def part_of(call: Fields) -> Part:
    """One of OpenAI's `tool_calls` as a part with a `functionCall`; ValueError if it has no name, or if its arguments
    are not an object."""
    function = fields_of(call.get("function"))
    given = function.get("arguments") or {}
    arguments = value_of(given) if isinstance(given, str) else given
    if isinstance(arguments, str):  # JSON encoded twice, as some models do
        arguments = value_of(arguments)
    if not isinstance(arguments, dict) or not isinstance(name := function.get("name"), str) or not name:
        raise ValueError("no function's name, or no arguments")
    found: Fields = {"name": name, "args": arguments}
    part: Part = {"functionCall": {"id": call["id"], **found} if call.get("id") else found}
    signature = fields_of(fields_of(call.get("extra_content")).get("google")).get("thought_signature")
    return {**part, "thoughtSignature": signature} if signature and isinstance(signature, str) else part


class Calls:
    """The tool calls in a stream of deltas, each assembled from its pieces."""

    def __init__(self) -> None:
        self._calls: list[Fields] = []
        self._open: dict[Any, Fields] = {}
        self._last: Fields | None = None
        self._grew = False

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def are_whole(self) -> bool:
        """Whether all calls are complete. A call without arguments is, unless the last delta added to one."""
        given = [arguments_of(call) for call in self._calls]
        return all(is_object(each) if each else not self._grew for each in given)

    def add(self, delta: Fields) -> None:
        """Add the calls of a delta or a message. Some servers omit the index, or send arguments as an object."""
        pieces = [each for each in listed(delta.get("tool_calls")) if isinstance(each, dict)]
        if isinstance(delta.get("function_call"), dict):  # OpenAI's first form of it
            pieces.append({"index": 0, "function": delta["function_call"]})
        self._grew = bool(pieces)
        for piece in pieces:
            self._add(piece)

    def _add(self, piece: Fields) -> None:
        function = piece["function"] if isinstance(piece.get("function"), dict) else piece
        name, given = str(function.get("name") or ""), function.get("arguments")
        arguments = given if isinstance(given, str) else json.dumps(given) if given else ""
        call = self._call_of(piece, name)
        if arguments:
            call["grows"] = call.get("grows", True) and (
                given != arguments or arguments.startswith(call.get("last", ""))
            )
            call["last"] = arguments
        call.update(
            {field: piece[field] for field in ("id", "extra_content") if piece.get(field) and field not in call}
        )
        function = call["function"]
        if not function["name"].endswith(name):  # some repeat it with every piece, some send it in pieces
            function["name"] = name if name.startswith(function["name"]) else function["name"] + name
        if arguments and function["arguments"] == "{}":  # Anthropic sends this before the pieces
            function["arguments"] = ""
        if arguments != function["arguments"] or not is_object(arguments):
            function["arguments"] += arguments

    def _call_of(self, piece: Fields, name: str) -> Fields:
        """The call that a piece belongs to, or a new one. The indexes of some servers are wrong, and some send no
        ids."""
        index, number = piece.get("index"), piece.get("id")
        index = int(index) if isinstance(index, str) and index.isdecimal() else index
        call = self._last if index is None else self._open.get(index)
        if number:
            named = next((each for each in self._calls if each.get("id") == number), None)
            is_new = call is None or (call.get("id") and (name or is_object(call["function"]["arguments"])))
            call = named or (None if is_new else call)  # some send a new id with each piece
        elif call is not None and name and name != call["function"]["name"]:
            call = None if index is None or is_object(call["function"]["arguments"]) else call
        elif call is not None and name and index is None and is_another(call, piece):
            call = None
        if call is None:
            call = {"function": {"name": "", "arguments": ""}}
            self._calls.append(call)
        self._last = self._open[index] = call
        return call

    def parts(self) -> list[Part]:
        """The parts of all calls, which are then forgotten; ValueError if one is not valid."""
        for call in self._calls:
            given = arguments_of(call)
            call["function"]["arguments"] = "{}" if given == "[]" else given  # from gateways that are written in PHP
        parts = [part_of(call) for call in self._calls]
        self._calls.clear()
        self._open.clear()
        self._last = None
        return parts


def arguments_of(call: Fields) -> str:
    """The arguments of a call that was assembled: its pieces in a row, or the last one if that is an object, the row is
    none, and each piece had the ones before it in it, as some servers send them."""
    given: str = call["function"]["arguments"]
    if given and not is_object(given) and call.get("grows") and is_object(call["last"]):
        return str(call["last"])
    return given


def is_another(call: Fields, piece: Fields) -> bool:
    """Whether a piece without an index and an id is a call of its own: of the same function, with other arguments."""
    given = fields_of(piece.get("function")).get("arguments")
    given = json.dumps(given) if isinstance(given, dict) else str(given)
    before = call["function"]["arguments"]
    return is_object(before) and is_object(given) and value_of(before) not in ({}, value_of(given))


def is_object(arguments: str) -> bool:
    """Whether a call's arguments are a complete JSON object."""
    try:
        return arguments.endswith("}") and isinstance(value_of(arguments), dict)
    except (ValueError, RecursionError):
        return False


def value_of(text: str) -> Any:
    """The value of JSON in which strings may have line ends, as models write them; ValueError if it is none."""
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return json.loads(text, strict=False)
