"""`vertex`: Gemini models in Google Cloud, read by the Gemini reader.

Its settings:

    VERTEX_PROJECT    the project that pays; without it there is no `vertex`
    VERTEX_LOCATION   a region such as europe-west1, or `global` (the default)
    VERTEX_BASE_URL   another address, such as a private endpoint

Credentials are Google's application default credentials: GOOGLE_APPLICATION_CREDENTIALS (a service account's file),
`gcloud auth application-default login`, or the machine's own account in Google Cloud.
"""

import asyncio
import functools
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from chat.protocol import errors
from chat.providers.gemini import Gemini, models_of
from chat.providers.http.client import Connection
from chat.providers.settings import Settings, address, text

log = logging.getLogger(__name__)

WHO = "Vertex AI"
DEFAULT_MODEL = "gemini-3.5-flash"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_SECONDS, HTTP_SECONDS = 10.0, 8.0
HEADERS = ("authorization", "x-goog-user-project")


class Credentials:
    """Google's credentials as headers. Whatever they do on the network happens in a thread, once for all who wait."""

    def __init__(self) -> None:
        self._credentials: Any = None
        self._refreshing: asyncio.Task[None] | None = None

    async def headers(self) -> dict[str, str]:
        """`Authorization`, and the quota project where there is one. A token is renewed before it ends."""
        state = self._state()
        if state != "FRESH":
            refreshing = self._refresh()
            if state == "INVALID":
                await self._wait(refreshing)
        found: dict[str, str] = {}
        self._credentials.apply(found)
        return {name: value for name, value in found.items() if name.lower() in HEADERS}

    def _state(self) -> str:
        """FRESH; STALE for its last minutes, when it still serves while a new one is fetched; INVALID."""
        return "INVALID" if self._credentials is None else str(self._credentials.token_state.name)

    def _refresh(self) -> "asyncio.Task[None]":
        running = self._refreshing
        if running is None or running.done() or running.get_loop() is not asyncio.get_running_loop():
            running = self._refreshing = asyncio.create_task(asyncio.to_thread(self._fetch))
            running.add_done_callback(lambda task: task.cancelled() or task.exception())
        return running

    async def _wait(self, refreshing: "asyncio.Task[None]") -> None:
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                await asyncio.shield(refreshing)
        except TimeoutError:
            raise errors.Unavailable(f"{WHO}: Google's sign-in does not answer.", retry_after=5) from None

    def _fetch(self) -> None:
        """In a thread: find the credentials, get a token. Their own messages may hold keys, so they are dropped."""
        from google.auth import default
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.auth.transport.requests import Request

        try:
            if self._credentials is None:
                self._credentials = default(scopes=[SCOPE])[0]
            request = functools.partial(Request(), timeout=HTTP_SECONDS)
            self._credentials.refresh(request)
        except TransportError:
            log.warning("Google's sign-in cannot be reached")
            raise errors.Unavailable(f"{WHO}: Google's sign-in cannot be reached.", retry_after=5) from None
        except (GoogleAuthError, ValueError, OSError) as failure:
            log.warning("Google's sign-in failed: %s", type(failure).__name__)
            sentence = f"{WHO} did not accept this server's credentials. Its operator must look at them."
            raise errors.PermissionDenied(sentence) from None


def model_address(project: str, location: str, base: str) -> Callable[[str], str]:
    """The URL of a model: https://cloud.google.com/vertex-ai/docs/reference/rest (regional and global endpoints)."""
    host = "aiplatform" if location == "global" else f"{location}-aiplatform"
    base = base or f"https://{host}.googleapis.com"
    if not re.search(r"/v1(beta1)?$", base):
        base += "/v1"
    root = f"{base}/projects/{quote(project, safe='')}/locations/{location}/publishers/google/models/"
    return lambda model: root + quote(model, safe="")


def from_settings(settings: Settings) -> Gemini | None:
    """Configured by VERTEX_PROJECT."""
    project = text(settings, "VERTEX_PROJECT")
    if not project:
        return None
    location = text(settings, "VERTEX_LOCATION", "global")
    if not re.fullmatch(r"[a-z0-9-]+", location):
        raise ValueError(f"VERTEX_LOCATION is {location!r}: write a region such as europe-west1, or global.")
    base = address(settings, "VERTEX_BASE_URL")
    models = models_of(settings, "vertex", DEFAULT_MODEL)
    connection = Connection.from_settings(settings)
    return Gemini("vertex", WHO, models, model_address(project, location, base), Credentials().headers, connection)
