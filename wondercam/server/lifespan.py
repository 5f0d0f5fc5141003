"""The application's start and end (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""

import asyncio
import logging
from typing import Any

logger = logging.getLogger(__name__)


class StartupFailed(Exception):
    """The application cannot start; its sentence says why."""


class Lifespan:
    """Drives one application. One that does not know the lifespan protocol is started and stopped in silence."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.messages: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.asked = False
        self.answers: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def receive(self) -> dict[str, str]:
        self.asked = True
        return await self.messages.get()

    async def send(self, message: dict[str, str]) -> None:
        self.answers.put_nowait(message)

    async def run(self) -> None:
        """The application's whole life; its end is an answer too."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self.application(scope, self.receive, self.send)
            self.answers.put_nowait({"type": "ended"})
        except Exception as wrong:
            if self.asked:
                logger.exception("The application's lifespan failed.")
            self.answers.put_nowait({"type": "failed" if self.asked else "ended", "message": str(wrong)})

    async def startup(self) -> None:
        """Returns when the application is ready; StartupFailed when it says that it cannot be."""
        self.task = asyncio.create_task(self.run())
        self.messages.put_nowait({"type": "lifespan.startup"})
        answer = await self.answers.get()
        if answer["type"].endswith("failed"):
            raise StartupFailed(answer.get("message") or "the application failed to start")

    async def shutdown(self, seconds: float) -> None:
        """Returns when the application has ended what it ran, at the latest after `seconds`."""
        if self.task is None or self.task.done():
            return
        self.messages.put_nowait({"type": "lifespan.shutdown"})
        try:
            answer = await asyncio.wait_for(self.answers.get(), seconds)
        except TimeoutError:
            logger.warning("The application did not end within %s s.", seconds)
        else:
            if answer["type"].endswith("failed"):
                logger.error("The application did not end well: %s", answer.get("message"))
