"""Requests of clients for OpenAI's Responses API (`POST /v1/responses`), translated to Gemini's format. No I/O.

    ResponseRequest ── contents(calls), system(), generation(), extra() ──> the arguments of a turn
    content_of(item) ── one item of `input`: a message, a call or a call's result; `reasoning` is ignored

Responses are in `response_events.py`. https://platform.openai.com/docs/api-reference/responses/create
"""

import re
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from chat.protocol.completions import (
    PassedOver,
    json_format,
    only_here,
    photo_of,
    result,
    sound_of,
    strict_ones,
    text_in,
)
from chat.protocol.errors import InvalidArgument
from chat.protocol.openai_tools import Fields, fields_of, gemini_tools_of, part_of
from chat.protocol.prompt import Content, Part

PREFIX = "resp_"
ID = re.compile(rf"{PREFIX}([0-9a-f]{{32}})")
NO_ITEM = "`input` has an item of another type than message, function_call, function_call_output and reasoning."
NO_PART = "`input` has a part of another type than input_text, output_text, input_image and input_audio."
INSTRUCTING = ("system", "developer")

Calls = dict[str, Part]
"""Parts with a `functionCall`, by the `call_id` that the client got."""


def id_of(stream: UUID) -> str:
    """The id of a stream's response: `resp_` and the stream's id in hexadecimal."""
    return f"{PREFIX}{stream.hex}"


def stream_of(response_id: str) -> UUID | None:
    """The id of a response's stream; None if it is not the id of a response."""
    found = ID.fullmatch(response_id)
    return UUID(found[1]) if found else None


class ResponseRequest(PassedOver, forbid_unknown_fields=True, kw_only=True):
    """The body of a request. Raises ValueError for values that are not supported.

    The last five fields, which do not change the answer, are ignored. Unknown fields are refused, as OpenAI does.
    """

    input: str | Annotated[list[dict[str, Any]], Meta(extra_json_schema={"minItems": 1})]
    model: str = ""
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = False
    background: bool | None = False
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None
    conversation: str | dict[str, Any] | None = None
    prompt: dict[str, Any] | None = None
    top_logprobs: int | None = None
    context_management: list[Any] | None = None
    parallel_tool_calls: bool | None = None
    background_options: Any = None
    include: Any = None
    max_tool_calls: Any = None
    stream_options: Any = None
    truncation: Any = None

    def __post_init__(self) -> None:
        if self.top_logprobs:
            raise ValueError("`top_logprobs` are not supported")
        if self.context_management:
            raise ValueError("`context_management` is not supported")
        if not self.input:
            raise ValueError("`input` must be a text, or a list with at least one item")
        if self.conversation is not None:
            raise ValueError("`conversation` is not supported: send `previous_response_id`")
        if self.prompt is not None:
            raise ValueError("`prompt` is not supported: send its text as `instructions` and `input`")

    def items(self) -> list[Fields]:
        """The input as a list of items."""
        return [{"role": "user", "content": self.input}] if isinstance(self.input, str) else self.input

    def system(self) -> str:
        """The text of the instructions, and of the system and developer messages."""
        said = [item for item in self.items() if item.get("role") in INSTRUCTING]
        texts = (text_in(parts_of(item), "system message") for item in said)
        return "\n\n".join(text for text in (self.instructions or "", *texts) if text)

    def contents(self, calls: Calls) -> list[Content]:
        """The other items as Gemini's contents. Successive items of the model are one content, as are the results of
        several calls.

        `calls` are those of the previous answer, which are not in the input if `previous_response_id` names it.
        InvalidArgument for an item that cannot be used, or if the last one is the model's.
        """
        known, found = dict(calls), list[Content]()
        for item in self.items():
            if item.get("role") in INSTRUCTING or item.get("type") == "reasoning":
                continue
            content = content_of(item, known)
            if found and is_one(found[-1], content):
                found[-1]["parts"] += content["parts"]
            else:
                found.append(content)
        if not found or found[-1]["role"] != "user":
            raise InvalidArgument("`input` ends with the model: its last item must be a user message or a result.")
        return found

    def generation(self) -> Fields:
        """Gemini's `generationConfig`."""
        wants_thoughts = (self.reasoning or {}).get("summary") or (self.reasoning or {}).get("generate_summary")
        found = {
            "maxOutputTokens": self.max_output_tokens,
            "temperature": self.temperature,
            "topP": self.top_p,
            "thinkingConfig": {"includeThoughts": True} if wants_thoughts else None,
            **self._format(),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _format(self) -> Fields:
        asked = (self.text or {}).get("format") or {}
        if not isinstance(asked, dict):
            raise InvalidArgument("`text.format` must be an object with a `type`.")
        return json_format(asked.get("type", "text"), asked.get("schema"), "text.format")

    def extra(self) -> Fields:
        """Gemini's `tools` and `toolConfig`, and the fields that only servers of chat completions understand."""
        tools = [{"type": tool.get("type"), "function": nested(tool)} for tool in self.tools or []]
        format = fields_of((self.text or {}).get("format"))
        passed = {
            "response_format": {"type": "json_schema", "json_schema": nested(format)} if format.get("schema") else None,
            "tools": strict_ones(tools, self.tool_choice),
            "parallel_tool_calls": self.parallel_tool_calls,
            "reasoning_effort": (self.reasoning or {}).get("effort"),
            "verbosity": (self.text or {}).get("verbosity"),
        }
        return {**gemini_tools_of(tools, choice_of(self.tool_choice)), **only_here(passed)}

    def repeated(self) -> Fields:
        """The fields of the request that the response repeats."""
        return {
            "background": bool(self.background),
            "instructions": self.instructions,
            "max_output_tokens": self.max_output_tokens,
            "metadata": self.metadata or {},
            "previous_response_id": self.previous_response_id,
            "reasoning": {"effort": None, "summary": (self.reasoning or {}).get("summary")},
            "temperature": self.temperature,
            "text": {"format": (self.text or {}).get("format") or {"type": "text"}},
            "tool_choice": self.tool_choice or "auto",
            "tools": self.tools or [],
            "top_p": self.top_p,
        }


def nested(fields: Fields) -> Fields:
    """The fields beside `type`, which chat completions have in an object of their own."""
    return {name: value for name, value in fields.items() if name != "type"}


def choice_of(choice: Any) -> Any:
    """`tool_choice` in the form of chat completions; InvalidArgument for tools other than functions."""
    if not isinstance(choice, dict) or choice.get("type") == "allowed_tools":
        return choice
    if choice.get("type") != "function":
        raise InvalidArgument("`tool_choice` must be auto, none, required or a function: no other is supported.")
    return {"function": {"name": choice.get("name")}}


def is_one(before: Content, content: Content) -> bool:
    """Whether two successive contents are merged: both are the model's, or both have only results of functions."""
    if before["role"] != content["role"]:
        return False
    return before["role"] == "model" or all("functionResponse" in part for part in before["parts"] + content["parts"])


def content_of(item: Fields, calls: Calls) -> Content:
    """An item as a content; a call is also added to `calls`. InvalidArgument if it cannot be used."""
    kind = item.get("type") or "message"
    if kind == "function_call":
        try:
            part = part_of({"id": item.get("call_id"), "function": item, "extra_content": item.get("extra_content")})
        except ValueError:
            raise InvalidArgument(
                "`input` has a call without a `name`, or whose `arguments` are not a JSON object."
            ) from None
        calls[str(item.get("call_id"))] = part
        return {"role": "model", "parts": [part]}
    if kind == "function_call_output":
        return {"role": "user", "parts": [result_of(item, calls)]}
    if kind != "message":
        raise InvalidArgument(NO_ITEM)
    if (role := item.get("role")) not in ("user", "assistant"):
        raise InvalidArgument("`input` has another `role` than system, developer, user and assistant.")
    return {"role": "user" if role == "user" else "model", "parts": parts_of(item)}


def result_of(item: Fields, calls: Calls) -> Part:
    """The part for a function's result. InvalidArgument if its call is not in `calls`."""
    call = calls.get(str(item.get("call_id")))
    if call is None:
        raise InvalidArgument("`input` has a result whose `call_id` no call has.")
    called, output = call["functionCall"], item.get("output")
    text = output if isinstance(output, str) else text_in(parts_of({"content": output}), "function's result")
    number = {"id": called["id"]} if called.get("id") else {}
    return {"functionResponse": {**number, "name": called["name"], **result(text)}}


def parts_of(item: Fields) -> list[Part]:
    """A message's content as parts."""
    content = item.get("content")
    if isinstance(content, str):
        return [{"text": content}]
    if not isinstance(content, list) or not content or not all(isinstance(each, dict) for each in content):
        raise InvalidArgument("`input` has an item whose `content` is neither a string nor a list of objects.")
    return [said_by(each) for each in content]


def said_by(part: Fields) -> Part:
    """One part of an item's content."""
    kind = part.get("type")
    name = "refusal" if kind == "refusal" else "text"
    if kind in ("input_text", "output_text", "text", "refusal") and isinstance(text := part.get(name), str):
        return {"text": text}
    if kind == "input_image":
        return photo_of(part.get("image_url"), "image_url")
    if kind == "input_audio":
        return sound_of(part)
    raise InvalidArgument(NO_PART)
