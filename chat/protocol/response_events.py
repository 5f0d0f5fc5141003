"""Translates a stream's responses to the typed events and the `response` object of OpenAI's Responses API. No I/O.

    begin() ── response.created, response.in_progress
    of(response) ── output_item.added · content_part.added · output_text.delta … · …done ── one item at a time
                    response.completed | response.incomplete | response.failed ── at the end
    response() ── the `response` object so far

Equal logs give equal events, so a client can resume at a `sequence_number`.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chat.protocol import events
from chat.protocol.completion_chunks import end_of, reason_of
from chat.protocol.events import Response
from chat.protocol.openai_responses import PREFIX
from chat.protocol.openai_tools import Fields, call_of
from chat.protocol.prompt import Part, is_sound

IN_PROGRESS, COMPLETED, INCOMPLETE, FAILED, CANCELLED = "in_progress", "completed", "incomplete", "failed", "cancelled"
STATUSES = (IN_PROGRESS, COMPLETED, INCOMPLETE, FAILED, CANCELLED)

REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""The reason of an incomplete answer, by the `finish_reason` of chat completions."""

ERRORS = {429: "rate_limit_exceeded", 400: "invalid_prompt", 413: "invalid_prompt"}
"""OpenAI's error codes, by our HTTP status; all others are `server_error`."""

FIXED = {"object": "response", "parallel_tool_calls": True, "store": True, "truncation": "disabled"}
"""The fields that are the same in every response. `store`: all responses are stored."""


@dataclass(frozen=True, slots=True)
class TextKind:
    """A kind of item that streams text: the prefix of its id, the names of its events, and the field with the index of
    its parts."""

    prefix: str
    part_event: str
    text_event: str
    index: str


MESSAGE = TextKind("msg", "content_part", "output_text", "content_index")
REASONING = TextKind("rs", "reasoning_summary_part", "reasoning_summary_text", "summary_index")


class ResponseEvents:
    """The events of one stream, whose id is `number` in hexadecimal digits.

    `head` has the response's constant fields: `model`, `created_at` and what it repeats of its request. `error` is the
    `error` object of a failed stream (`ApiError.as_json`), else None.
    """

    def __init__(self, number: str, head: Fields) -> None:
        self._number, self._head = number, {"id": f"{PREFIX}{number}", **FIXED, **head}
        self._output: list[Fields] = []
        self._growing: TextKind | None = None
        self._texts: list[str] = []
        self._calls = 0
        self._sequence = 0
        self._status, self._reason = IN_PROGRESS, ""
        self._usage: Fields | None = None
        self.error: Fields | None = None

    def begin(self) -> list[Fields]:
        """The events before any output."""
        return [self._whole("created"), self._whole("in_progress")]

    def of(self, response: Response) -> list[Fields]:
        """The events for one event of the log."""
        ours = response.get("wondercam") or {}
        response = ours.get("gemini") or response
        self._usage = usage_of(response.get("usageMetadata") or {}) or self._usage
        if error := response.get("error"):
            self.error = error
            return [*self._close(INCOMPLETE), self._end(FAILED)]
        parts, reason = end_of(response)
        found = [event for part in parts for event in self._part(part)]
        if not reason:
            return found
        stopped = ours.get("end") == events.STOPPED
        self._reason = "" if stopped else REASONS.get(reason_of(reason), "")
        status = CANCELLED if stopped else INCOMPLETE if self._reason else COMPLETED
        return [*found, *self._close(COMPLETED if status == COMPLETED else INCOMPLETE), self._end(status)]

    def cut(self, error: Fields) -> Fields:
        """The event for an error that ends this HTTP response, while the answer may go on."""
        said = {"code": ERRORS.get(error["code"], "server_error"), "message": error["message"], "param": None}
        return self._event("error", **said)

    def response(self) -> Fields:
        """The `response` object so far."""
        growing = [self._item(INCOMPLETE if self._status != IN_PROGRESS else IN_PROGRESS)] if self._growing else []
        error = self.error and {
            "code": ERRORS.get(self.error.get("code", 500), "server_error"),
            "message": self.error.get("message"),
        }
        why = {"reason": self._reason} if self._reason else None
        said = {"status": self._status, "output": [*self._output, *growing], "usage": self._usage}
        return {**self._head, **said, "error": error, "incomplete_details": why}

    def _end(self, status: str) -> Fields:
        self._status = status
        return self._whole(INCOMPLETE if status == CANCELLED else status)  # that API has no event for a stop

    def _whole(self, name: str) -> Fields:
        return self._event(f"response.{name}", response=self.response())

    def _event(self, type: str, **fields: Any) -> Fields:
        number, self._sequence = self._sequence, self._sequence + 1
        return {"type": type, "sequence_number": number, **fields}

    def _part(self, part: Part) -> Iterator[Fields]:
        if "functionCall" in part:
            yield from self._close(COMPLETED)
            yield from self._call(part)
        elif "inlineData" in part and not is_sound(part):
            yield from self._close(COMPLETED)
            yield from self._picture(part["inlineData"].get("data"))
        elif text := part.get("text"):
            kind = REASONING if part.get("thought") else MESSAGE
            if self._growing is not kind:
                yield from self._close(COMPLETED)
                yield from self._open(kind)
            self._texts.append(text)
            yield self._of_text(f"{kind.text_event}.delta", delta=text)

    # Items that stream text

    def _open(self, kind: TextKind) -> Iterator[Fields]:
        self._growing = kind
        yield self._of_output(
            "added", {**self._item(IN_PROGRESS), **({"content": []} if kind is MESSAGE else {"summary": []})}
        )
        yield self._of_text(f"{kind.part_event}.added", part=self._text_part())

    def _close(self, status: str) -> Iterator[Fields]:
        if (kind := self._growing) is None:
            return
        yield self._of_text(f"{kind.text_event}.done", text="".join(self._texts))
        yield self._of_text(f"{kind.part_event}.done", part=self._text_part())
        yield self._done(self._item(status))
        self._growing = None
        self._texts.clear()

    def _item(self, status: str) -> Fields:
        if self._growing is REASONING:
            return {"type": "reasoning", "id": self._id("rs"), "status": status, "summary": [self._text_part()]}
        message = {"type": "message", "id": self._id("msg"), "status": status, "role": "assistant"}
        return {**message, "content": [self._text_part()]}

    def _text_part(self) -> Fields:
        text = "".join(self._texts)
        if self._growing is REASONING:
            return {"type": "summary_text", "text": text}
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def _of_text(self, name: str, **fields: Any) -> Fields:
        kind = self._growing or MESSAGE
        logprobs: Fields = {"logprobs": []} if name.startswith(MESSAGE.text_event) else {}
        return self._of_item(name, self._id(kind.prefix), **{kind.index: 0}, **fields, **logprobs)

    # Items that arrive complete

    def _call(self, part: Part) -> Iterator[Fields]:
        call = call_of(part, self._calls)
        self._calls += 1
        number, name, arguments = self._id("fc"), call["function"]["name"], call["function"]["arguments"]
        item = {"type": "function_call", "id": number, "call_id": call["id"], "name": name, "arguments": arguments}
        item |= {"extra_content": call["extra_content"]} if "extra_content" in call else {}
        yield self._of_output("added", {**item, "arguments": "", "status": IN_PROGRESS})
        yield self._of_item("function_call_arguments.delta", number, delta=arguments)
        yield self._of_item("function_call_arguments.done", number, arguments=arguments, name=name)
        yield self._done({**item, "status": COMPLETED})

    def _picture(self, data: Any) -> Iterator[Fields]:
        number = self._id("ig")
        item = {"type": "image_generation_call", "id": number, "result": data}
        yield self._of_output("added", {**item, "result": None, "status": IN_PROGRESS})
        yield self._of_item("image_generation_call.completed", number)
        yield self._done({**item, "status": COMPLETED})

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._number}_{len(self._output)}"

    def _of_item(self, event: str, number: str, **fields: Any) -> Fields:
        return self._event(f"response.{event}", item_id=number, output_index=len(self._output), **fields)

    def _of_output(self, name: str, item: Fields) -> Fields:
        return self._event(f"response.output_item.{name}", output_index=len(self._output), item=item)

    def _done(self, item: Fields) -> Fields:
        told = self._of_output("done", item)
        self._output.append(item)
        return told


def usage_of(usage: Fields) -> Fields | None:
    """Gemini's `usageMetadata` as `usage`, in which thoughts are part of the output; None if it is empty."""
    if not usage:
        return None
    thoughts, kept = usage.get("thoughtsTokenCount") or 0, usage.get("cachedContentTokenCount") or 0
    given, made = usage.get("promptTokenCount") or 0, (usage.get("candidatesTokenCount") or 0) + thoughts
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": kept, "cache_write_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": thoughts},
        "total_tokens": usage.get("totalTokenCount") or given + made,
    }


def calls_in(parts: list[Part]) -> dict[str, Part]:
    """The calls in an answer's parts, by the `call_id` that the client got."""
    calls = [part for part in parts if "functionCall" in part]
    return {call_of(part, number)["id"]: part for number, part in enumerate(calls)}


def as_event(event: Fields) -> bytes:
    """The bytes of an event."""
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), events.encode(event).encode())
