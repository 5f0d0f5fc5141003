"""An OpenAI-compatible server: the model's name in the request says how it behaves."""

import json
from typing import Any

from tests.fakes.server import Play, Reply, Request

WORDS = ["Hello", ", ", "Welt 🌍", " end."]
TEXT = "".join(WORDS)
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """One chat.completion.chunk."""
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": reason}],
        **fields,
    }


def sse(*chunks: dict[str, Any]) -> bytes:
    """As OpenAI writes it."""
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)


DONE = b"data: [DONE]\n\n"
SAID = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": word}) for word in WORDS)]
COUNTED = {"choices": [], "usage": USAGE}
ERROR = {"error": {"message": "Incorrect API key provided: sk-SECRET", "type": "server_error", "code": None}}

BODIES: dict[str, bytes] = {
    "hello": sse(*SAID, chunk(reason="stop"), COUNTED) + DONE,
    "no-done": sse(*SAID, chunk(reason="stop")),
    "no-reason": sse(*SAID) + DONE,
    "usage-with-reason": sse(*SAID, chunk(reason="stop", usage=USAGE)) + DONE,
    "usage-everywhere": sse(*(chunk({"content": word}, usage=USAGE) for word in WORDS), chunk(reason="stop")) + DONE,
    "stop-twice": sse(*SAID, chunk(reason="stop"), chunk(reason="stop"), COUNTED) + DONE,
    "text-after-stop": sse(*SAID[:-1], chunk(reason="stop"), SAID[-1]) + DONE,
    "cut-short": sse(*SAID),
    "refusal": sse(chunk({"refusal": "I cannot "}), chunk({"refusal": "do that."}), chunk(reason="stop")) + DONE,
    "reasoning": sse(chunk({"reasoning_content": "Hm."}), chunk({"reasoning": " So."}), *SAID, chunk(reason="stop"))
    + DONE,
    "listed": sse(chunk({"content": [{"type": "text", "text": TEXT}]}), chunk(reason="stop")) + DONE,
    "nothing": sse(chunk(reason="stop")) + DONE,
    "error-data": sse(*SAID[:3]) + sse(ERROR),
    "error-event": sse(*SAID[:3]) + b"event: error\n" + sse({"message": "x", "code": "rate_limit_exceeded"}),
    "error-bare": sse(*SAID[:3]) + json.dumps(ERROR, indent=1).encode(),
    "garbage": sse(*SAID[:3]) + b"data: {]\n\n",
    "wrong-delta": sse(*SAID[:3]) + b'data: {"choices": [{"delta": [1]}]}\n\n',
    "wrong-choices": sse(*SAID[:3]) + b'data: {"choices": {"0": 1}}\n\n',
    "numbers": sse(*SAID[:3])
    + b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'
    + sse(chunk(reason="stop"))
    + DONE,
}
REASONS = {"length": "MAX_TOKENS", "content_filter": "SAFETY", "tool_calls": "UNEXPECTED_TOOL_CALL", "new": "OTHER"}
STATUSES = {
    "400": "invalid_request_error",
    "401": "invalid_api_key",
    "404": "model_not_found",
    "429": "rate_limit_error",
}

LISTED = {
    "object": "list",
    "data": [
        {"id": "hello", "meta": {"n_ctx": 4096}, "architecture": {"input_modalities": ["text", "image"]}},
        {"id": "org/second", "max_model_len": 9000},
        {"id": 7},
        "junk",
    ],
}


CALL = {"id": "f1", "type": "function", "function": {"name": "weather", "arguments": '{"city_name": "Rome"}'}}


def piece(arguments: str, **fields: Any) -> dict[str, Any]:
    """A piece of the call: the first has its id and name, and all have some of its arguments."""
    return chunk(
        {"tool_calls": [{"index": 0, **fields, "function": {**fields.get("function", {}), "arguments": arguments}}]}
    )


async def tools(request: Request, reply: Reply) -> None:
    """A call of a function in pieces; after its result, which must come back behind its call, the answer."""
    messages = request.json()["messages"]
    if messages[-1]["role"] != "tool":
        head = piece("", id="f1", type="function", function={"name": "weather"})
        pieces = [piece(text) for text in ('{"city', '_name": ', '"Rome"}')]
        said = [chunk({"role": "assistant", "content": "Let me see."}), head, *pieces, chunk(reason="tool_calls")]
    elif messages[-2].get("tool_calls") != [CALL] or messages[-1]["tool_call_id"] != "f1":
        await reply.whole(400, {"error": {"message": "no such call", "type": "invalid_request_error"}})
        return
    else:
        said = [chunk({"role": "assistant", "content": "It is warm."}), chunk(reason="stop")]
    await reply.whole(200, sse(*said, COUNTED) + DONE, "text/event-stream")


async def play(request: Request, reply: Reply) -> None:
    """Behave as the model's name says; the list of models needs no name."""
    if request.target.endswith("/models"):
        await reply.whole(200, LISTED)
        return
    name = request.json()["model"]
    if name in STATUSES:
        error = {"message": f"no: {request.headers.get('authorization')}", "type": STATUSES[name], "code": None}
        await reply.whole(int(name), {"error": error})
        return
    if name == "tools":
        await tools(request, reply)
        return
    await reply.head()
    await reply.send(sse(*SAID, chunk(reason=name)) + DONE if name in REASONS else BODIES[name])
    if name == "hello":
        await reply.stall()  # [DONE] is the end, whatever the connection does
    await reply.end()


def failing_then(times: int, play_then: Play, status: int = 503, **headers: str) -> Play:
    """`times` refusals, then as `play_then`."""
    left = [times]

    async def flaky(request: Request, reply: Reply) -> None:
        left[0] -= 1
        if left[0] >= 0:
            await reply.whole(status, {"error": {"message": "not now"}}, **headers)
        else:
            await play_then(request, reply)

    return flaky
