"""A Gemini (and Vertex AI) server: the model's name in the request says how it behaves.

`python -m tests.fakes.gemini 9001`, then GEMINI_BASE_URL=http://127.0.0.1:9001 GEMINI_API_KEY=fake and
WONDERCAM_MODELS=gemini/hello,gemini/cut shows each fault in the page.
"""

import asyncio
import json
import re
import sys
from typing import Any

from tests.fakes.server import Play, Reply, Request, Server

WORDS = ["Hello", ", ", "Welt 🌍", " \u2028", "end."]
TEXT = "".join(WORDS)
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgaGgAAAGEAQFWjyAjAAAAAElFTkSuQmCC"
OVERLOADED = {"error": {"code": 503, "message": "The model is overloaded. key=SECRET", "status": "UNAVAILABLE"}}


def chunk(text: str | None = None, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """One GenerateContentResponse."""
    candidate: dict[str, Any] = {"index": 0}
    if text is not None:
        candidate["content"] = {"role": "model", "parts": [{"text": text}]}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "modelVersion": "fake-1", "responseId": "r1", **fields}


def sse(*chunks: dict[str, Any]) -> bytes:
    """As Google writes it: `data:` lines, CRLF, nothing else."""
    return b"".join(b"data: " + json.dumps(each, ensure_ascii=False).encode() + b"\r\n\r\n" for each in chunks)


def answer() -> list[dict[str, Any]]:
    """A whole answer."""
    return [chunk(word) for word in WORDS[:-1]] + [chunk(WORDS[-1], "STOP", usageMetadata=USAGE)]


BODIES: dict[str, bytes] = {
    "hello": sse(*answer()),
    "truncated": sse(*answer()[:-1]),
    "mid-json": sse(*answer()[:-1]) + b'data: {"candidates": [{"conte',
    "mid-utf8": sse(*answer()[:2]) + sse(chunk("🌍"))[:58],
    "stop-always": sse(*(chunk(word, "STOP", usageMetadata=USAGE) for word in WORDS)),
    "stop-twice": sse(*answer(), chunk(None, "STOP", usageMetadata=USAGE)),
    "text-after-stop": sse(*answer()[:-1], chunk("en", "STOP"), chunk("d.", None, usageMetadata=USAGE)),
    "usage-after-stop": sse(*answer()[:-1], chunk("end.", "STOP"), {"usageMetadata": USAGE, "modelVersion": "fake-1"}),
    "empty-stop": sse(chunk(None, "STOP", usageMetadata=USAGE)),
    "blocked": sse({"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": []}, "usageMetadata": USAGE}),
    "error-data": sse(*answer()[:2]) + b"data: " + json.dumps(OVERLOADED).encode() + b"\r\n\r\n",
    "error-bare": sse(*answer()[:2]) + json.dumps(OVERLOADED).encode(),
    "error-pretty": sse(*answer()[:2]) + json.dumps(OVERLOADED, indent=2).encode() + b"\n",
    "error-pretty-data": sse(*answer()[:2]) + b"data: " + json.dumps(OVERLOADED, indent=2).encode() + b"\n\n",
    "error-list": json.dumps([OVERLOADED], indent=2).encode(),
    "garbage": sse(*answer()[:2]) + b"data: <html>it works</html>\n\n",
    "not-an-object": sse(*answer()[:2]) + b"data: 42\n\n",
    "wrong-shape": sse(*answer()[:2]) + b'data: {"candidates": [{"content": {"parts": [{"text": 7}]}}]}\n\n',
    "surrogate": sse(*answer()[:2]) + b'data: {"candidates": [{"content": {"parts": [{"text": "\\ud800"}]}}]}\n\n',
    "deep": sse(*answer()[:2]) + b"data: " + b"[" * 100_000 + b"]" * 100_000 + b"\n\n",
    "long-line": sse(*answer()[:2]) + b"data: " + b"x" * 10_000_000 + b"\n\n",
    "empty": b"",
    "spoof": sse({**chunk("Hi"), "wondercam": {"end": "stopped"}}, chunk(".", "STOP", usageMetadata=USAGE)),
    "execute": b'event: execute\ndata: {"code": "alert(1)"}\n\n' + sse(*answer()),
    "rich": sse(
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hm", "thought": True}]}}]},
        {"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": PICTURE}}]}}]},
        chunk("See", groundingMetadata={"q": 1}, futureField={"a": [1]}),
        {
            "candidates": [
                {"content": {"parts": [{"text": "!"}]}, "finishReason": "STOP", "groundingMetadata": {"s": 2}}
            ]
        },
    ),
}
"""What the body is, by the model's name; sent whole and ended properly."""

STATUSES = {"400": "INVALID_ARGUMENT", "401": "UNAUTHENTICATED", "403": "PERMISSION_DENIED", "404": "NOT_FOUND"}
STATUSES |= {"429": "RESOURCE_EXHAUSTED", "500": "INTERNAL", "503": "UNAVAILABLE", "504": "DEADLINE_EXCEEDED"}


SIGNATURE = "c2lnbmF0dXJl"
CALL = {"functionCall": {"id": "f1", "name": "weather", "args": {"city_name": "Rome"}}, "thoughtSignature": SIGNATURE}
RAN = [
    {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
]


async def tools(request: Request, reply: Reply) -> None:
    """A call of a function; after its result, which must come back with its call and its signature, the answer."""
    parts = [part for content in request.json()["contents"] for part in content["parts"]]
    said: list[dict[str, Any]] = [{"text": "Let me see."}, *RAN, CALL]
    if any("functionResponse" in part for part in parts):
        if any(part not in parts for part in (CALL, *RAN)):
            await reply.whole(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no signature"}})
            return
        said = [{"text": "It is warm."}]
    candidate = {"content": {"role": "model", "parts": said}, "finishReason": "STOP"}
    await reply.whole(200, sse({"candidates": [candidate], "usageMetadata": USAGE}), "text/event-stream")


async def play(request: Request, reply: Reply) -> None:
    """Behave as the model's name says."""
    if request.target.endswith(":countTokens"):
        await reply.whole(200, {"totalTokens": 42, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 42}]})
        return
    match = re.search(r"/models/([^:/?]+):streamGenerateContent\?alt=sse$", request.target)
    name = match[1] if match else "404"
    if name not in BODIES | PLAYS | STATUSES and not name.isupper():
        name = "404"
    if name in STATUSES:
        error = {"code": int(name), "message": f"no: {request.headers.get('x-goog-api-key')}", "status": STATUSES[name]}
        await reply.whole(int(name), {"error": error})
    elif name in PLAYS:
        await PLAYS[name](request, reply)
    else:
        await reply.head()
        await reply.send(sse(chunk("x", name)) if name.isupper() else BODIES[name])
        await reply.end()


def after(words: int, then: str) -> Play:
    """Some words, then `stall`, `cut`, or endless `comments`."""

    async def faulty(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(sse(*answer()[:words]))
        if then == "cut":
            reply.cut()
        while then == "comments":
            await reply.send(b": still here\n\n")
            await asyncio.sleep(0.01)
        await reply.stall()

    return faulty


async def slow_headers(request: Request, reply: Reply) -> None:
    """Never a status line."""
    await reply.stall()


async def endless_headers(request: Request, reply: Reply) -> None:
    """Headers without end."""
    reply.writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        reply.writer.write(b"X-Filler: " + b"y" * 4000 + b"\r\n")
        await reply.writer.drain()


async def bytewise(request: Request, reply: Reply) -> None:
    """A byte a write."""
    await reply.head()
    for byte in BODIES["hello"]:
        await reply.send(bytes([byte]))
    await reply.end()


async def redirect(request: Request, reply: Reply) -> None:
    """Somewhere else."""
    await reply.whole(302, b"", Location="http://169.254.169.254/latest/meta-data")


async def page(request: Request, reply: Reply) -> None:
    """A proxy's page with status 200."""
    await reply.whole(200, b"<html>Sign in</html>", "text/html")


async def bomb(request: Request, reply: Reply) -> None:
    """A compressed body that nobody asked for."""
    await reply.whole(200, b"\x1f\x8b\x08" + b"\0" * 1000, "text/event-stream", Content_Encoding="gzip")


async def quota(request: Request, reply: Reply) -> None:
    """429 with Retry-After far away."""
    await reply.whole(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, Retry_After="77")


async def stop_and_stay(request: Request, reply: Reply) -> None:
    """A whole answer on a connection that does not end."""
    await reply.head()
    await reply.send(BODIES["hello"])
    await reply.stall()


async def paced(request: Request, reply: Reply) -> None:
    """A word every 50 ms."""
    await reply.head()
    for each in answer():
        await reply.send(sse(each))
        await asyncio.sleep(0.05)
    await reply.end()


async def endless(request: Request, reply: Reply) -> None:
    """A word every 50 ms, until the client goes."""
    await reply.head()
    while not reply.gone.is_set():
        await reply.send(sse(chunk("on and ")))
        await reply.silence(0.05)


async def fast(request: Request, reply: Reply) -> None:
    """10,000 responses as fast as they go."""
    await reply.head()
    hundred = sse(chunk("tick ")) * 100
    for _ in range(100):
        await reply.send(hundred)
    await reply.send(sse(chunk(".", "STOP", usageMetadata=USAGE)))
    await reply.end()


PLAYS: dict[str, Play] = {
    "stall-before": after(0, "stall"),
    "stall-between": after(2, "stall"),
    "comments-before": after(0, "comments"),
    "comments-between": after(2, "comments"),
    "cut-before": after(0, "cut"),
    "cut": after(2, "cut"),
    "slow-headers": slow_headers,
    "endless-headers": endless_headers,
    "bytewise": bytewise,
    "redirect": redirect,
    "page": page,
    "bomb": bomb,
    "quota": quota,
    "stop-and-stay": stop_and_stay,
    "paced": paced,
    "tools": tools,
    "endless": endless,
    "fast": fast,
}


async def _main(port: int) -> None:
    server = Server(play, port=port)
    await server.start()
    print(server.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
