"""The site's settings with what an operator may add: two middlewares, and receivers of Django's signals.

`Tag` sets a header, as one for request ids does. `Observer` does what error trackers and metrics do: it hears of views,
wraps what streams, and receives the signals; what it saw it prints.
"""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from asgiref.sync import markcoroutinefunction
from django.core.signals import got_request_exception, request_finished, request_started

from wondercam.settings import *  # noqa: F403
from wondercam.settings import MIDDLEWARE as OURS

MIDDLEWARE = ["tests.operator_settings.Tag", *OURS, "tests.operator_settings.Observer"]


def say(*words: Any) -> None:
    print("observed", *words, flush=True)


class Tag:
    """A small async middleware."""

    sync_capable: ClassVar = False
    async_capable: ClassVar = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: Any) -> Any:
        request.tag = request.headers.get("X-Tag", "none")
        response = await self.get_response(request)
        response.headers["X-Tag"] = request.tag
        return response


class Observer(Tag):
    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        request_started.connect(self.started, weak=False)
        request_finished.connect(self.finished, weak=False)
        got_request_exception.connect(self.failed, weak=False)

    def started(self, scope: Any = None, **_: Any) -> None:
        say("start of", scope["path"])

    async def finished(self, **_: Any) -> None:
        say("end")

    def failed(self, request: Any = None, **_: Any) -> None:
        say("exception in", request.path)

    async def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        say("view", view.__name__)
        if request.headers.get("X-Fail"):
            raise RuntimeError("as asked")

    async def __call__(self, request: Any) -> Any:
        response = await self.get_response(request)
        response.headers["X-Observed"] = request.resolver_match.route if request.resolver_match else "-"
        if response.streaming and response.is_async:
            response.streaming_content = self.counted(response.streaming_content)
        return response

    async def counted(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        count = 0
        try:
            async for piece in pieces:
                count += 1
                yield piece
        finally:
            say("stream of", count, "pieces")
