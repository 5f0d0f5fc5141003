"""A small ASGI application for the tests of the server, and the server on it: `python -m tests.plain_asgi`.

Paths under /django/ go through the site's own handler to the views below, those under /django/api/ as its API, the
others to `plain`.
Arguments: the number of workers, then `Options` as JSON.
"""

import asyncio
import json
import os
import resource
import sys
import threading
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from wondercam.handler import Handler
from wondercam.server import signals
from wondercam.server.options import Options
from wondercam.server.proxies import Proxies
from wondercam.server.supervisor import Supervisor, leave
from wondercam.server.transport import listening_socket
from wondercam.server.worker import Worker

WAYS = ("", "api/")
"""As a page, and as the API."""
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
WORKER: list[Worker] = []
END = asyncio.Event()
"""Set when the lifespan is asked to stop: running streams then end."""
WAITING: list[asyncio.Future[None]] = []
"""What the pauses of streams last until."""
COUNTS: dict[str, int] = {"streams": 0, "cancelled": 0, "disconnected": 0, "offered": 0, "views_closed": 0, "pushed": 0}


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def state() -> dict[str, Any]:
    worker = WORKER[0]
    requests = [request for channel in worker.http_factory.channels for request in channel.requests]
    return {
        **COUNTS,
        "pid": os.getpid(),
        "tracked": len(worker.connections),
        "open": len(worker.http_factory.channels),
        "paused": sum(request.paused for request in requests),
        "queued": max(channel.transport.queued for channel in worker.http_factory.channels),
        "threads": len(os.listdir("/proc/self/task")),
        "python_threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "resident": resident(),
    }


async def answer(send: Any, body: bytes, status: int = 200, length: bool = True) -> None:
    headers = [(b"content-length", b"%d" % len(body))] if length else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def begin(send: Any, body: bytes = b"one", headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def stream(send: Any) -> None:
    """One event, then silence until the process is asked to stop; then a last event and the end."""
    COUNTS["streams"] += 1
    try:
        await begin(send)
        await END.wait()
        await send({"type": "http.response.body", "body": b"last"})
    except asyncio.CancelledError:
        COUNTS["cancelled"] += 1
        raise
    finally:
        COUNTS["streams"] -= 1


async def deaf() -> None:
    """Runs on whatever happens, until it is cancelled."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        COUNTS["cancelled"] += 1
        raise


async def flood(send: Any, megabytes: int, chunk: int) -> None:
    """As much as the reader takes, as fast as it takes it."""
    try:
        await begin(send)
        for _ in range(megabytes * 1024 * 1024 // chunk):
            await send({"type": "http.response.body", "body": b"x" * chunk, "more_body": True})
            COUNTS["offered"] += chunk
        await send({"type": "http.response.body", "body": b""})
    except ConnectionError:
        COUNTS["disconnected"] += 1
        raise


async def plain(scope: Any, receive: Any, send: Any) -> None:
    query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
    request = await receive()
    match scope["path"]:
        case "/hello":
            await answer(send, b"hello")
        case "/chunked":
            await answer(send, b"hello", length=False)
        case "/large":
            await answer(send, b"0123456789" * 100_000)
        case "/state":
            await answer(send, json.dumps(state()).encode())
        case "/scope":
            seen = {**scope, "headers": [[k.decode(), v.decode()] for k, v in scope["headers"]]}
            await answer(send, json.dumps({**seen, "body": len(request["body"])}, default=repr).encode())
        case "/stream":
            listening = asyncio.create_task(receive())
            streaming = asyncio.create_task(stream(send))
            await asyncio.wait([listening, streaming], return_when=asyncio.FIRST_COMPLETED)
            streaming.cancel()
        case "/flood":
            await flood(send, int(query["megabytes"]), int(query["chunk"]))
        case "/push" | "/push/encoded":
            write = scope["extensions"]["wondercam.push"]["write"]
            early = write(b"too early")
            await begin(send, headers=[(b"Content-Encoding", b"gzip")] if scope["path"] == "/push/encoded" else ())
            while not early and COUNTS["pushed"] < 1000 and write(b"x" * 65536):
                COUNTS["pushed"] += 1
            await END.wait()
        case "/split":
            await begin(send, headers=[(b"x-name", b"value\r\nset-cookie: mine=1")])
        case "/raise":
            raise ValueError("before anything was sent")
        case "/raise-in-body":
            await begin(send)
            raise ValueError("in the middle of the body")
        case "/raise-in-counted-body":
            await begin(send, headers=[(b"content-length", b"1000")])
            raise ValueError("in the middle of the body")
        case "/forget":
            await begin(send)
        case "/wake":
            for each in WAITING:
                each.set_result(None)
            await answer(send, b"woken")
        case "/deaf":
            await deaf()


async def lifespan(receive: Any, send: Any) -> None:
    await receive()
    if failure := os.environ.get("FAIL_STARTUP"):
        await send({"type": "lifespan.startup.failed", "message": failure})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    signals.say("draining")
    if os.environ.get("HANG_AT_END"):
        await asyncio.Event().wait()
    END.set()
    await send({"type": "lifespan.shutdown.complete"})


async def quiet_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def events() -> Any:
        COUNTS["streams"] += 1
        try:
            yield b"one"
            await END.wait()
        finally:
            COUNTS["streams"] -= 1

    response = StreamingHttpResponse(events(), content_type="text/event-stream")
    response._resource_closers.append(lambda: COUNTS.update(views_closed=COUNTS["views_closed"] + 1))  # type: ignore[attr-defined]
    return response


class Pause(bytes):
    """An empty piece; nothing follows before `until` is done."""

    until: asyncio.Future[None]


class AsItIs(StreamingHttpResponse):
    """Its pieces are not copied."""

    is_async = True
    pieces: Any

    @property
    def streaming_content(self) -> Any:
        return self.pieces

    @streaming_content.setter
    def streaming_content(self, pieces: Any) -> None:
        self.pieces = pieces


async def pausing(request: HttpRequest) -> StreamingHttpResponse:
    async def events() -> Any:
        COUNTS["streams"] += 1
        try:
            yield b"one"
            WAITING.append(asyncio.get_running_loop().create_future())
            pause = Pause()
            pause.until = WAITING[-1]
            yield pause
            await pause.until
            yield b"two"
        finally:
            COUNTS["streams"] -= 1

    response = AsItIs(events(), content_type="text/event-stream")
    response._resource_closers.append(lambda: COUNTS.update(views_closed=COUNTS["views_closed"] + 1))  # type: ignore[attr-defined]
    return response


async def endless(request: HttpRequest) -> StreamingHttpResponse:
    async def events() -> Any:
        while True:
            yield b"x" * 10_000

    response = StreamingHttpResponse(events())
    response._resource_closers.append(lambda: COUNTS.update(views_closed=COUNTS["views_closed"] + 1))  # type: ignore[attr-defined]
    return response


async def broken(request: HttpRequest) -> StreamingHttpResponse:
    async def events() -> Any:
        yield b"one"
        raise ValueError("inside a view's generator")

    return StreamingHttpResponse(events())


def blocking(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.body)} on {threading.current_thread().name}")


urlpatterns = [
    *(path(f"django/{way}stream", quiet_stream) for way in WAYS),
    *(path(f"django/{way}pausing", pausing) for way in WAYS),
    *(path(f"django/{way}endless", endless) for way in WAYS),
    *(path(f"django/{way}broken", broken) for way in WAYS),
    *(path(f"django/{way}blocking", blocking) for way in WAYS),
]


def site() -> Any:
    settings.configure(
        API_PREFIXES=("/django/api/",), ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=MIDDLEWARE
    )
    handler = Handler()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["path"].startswith("/django/"):
            await handler(scope, receive, send)
        else:
            await plain(scope, receive, send)

    return application


def main(workers: int, given: dict[str, Any]) -> None:
    proxies = Proxies.parse(given.pop("proxies", ""))
    options = Options(**given, proxies=proxies)
    listener = listening_socket("127.0.0.1", 0)
    application = site()

    def ready() -> None:
        print(f"Listening on {listener.getsockname()[1]}", flush=True)

    def work(ready: Any, parent: int = -1) -> int:
        WORKER.append(Worker(application, listener, options, ready, parent))
        return WORKER[0].run()

    leave(work(ready) if workers == 1 else Supervisor(workers, listener, work, ready).run())


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
