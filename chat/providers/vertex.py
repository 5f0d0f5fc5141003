"""`vertex`: Gemini models of Vertex AI in Google Cloud, by the reader in `gemini.py`.

Its settings:

    VERTEX_PROJECT    the project that is billed; without it the provider is off
    VERTEX_LOCATION   a region such as europe-west1, or `global` (the default)
    VERTEX_BASE_URL   another base URL, such as that of a private endpoint

Credentials are Google's application default credentials: GOOGLE_APPLICATION_CREDENTIALS (a service account's file),
`gcloud auth application-default login`, or the service account of a machine in Google Cloud.
"""

import asyncio
import functools
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from chat.protocol import errors
from chat.providers.gemini import Gemini
from chat.providers.gemini_models import models_of
from chat.providers.http.client import Connection
from chat.providers.settings import Settings, address, text

log = logging.getLogger(__name__)

WHO = "Vertex AI"
DEFAULT_MODEL = "gemini-3.5-flash"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_SECONDS, HTTP_SECONDS = 10.0, 8.0
HEADERS = ("authorization", "x-goog-user-project")


class Credentials:
    """Google's credentials as headers. They are fetched in a thread, once for all requests that wait for them."""

    def __init__(self) -> None:
        self._credentials: Any = None
        self._refreshing: asyncio.Task[None] | None = None

    async def headers(self) -> dict[str, str]:
        """Return `Authorization`, and `x-goog-user-project` if the credentials have one; a token is renewed before it
        expires. Raises Unavailable, or PermissionDenied if Google refuses the credentials."""
        state = self._state()
        if state != "FRESH":
            refreshing = self._refresh()
            if state == "INVALID":
                await self._wait(refreshing)
        found: dict[str, str] = {}
        self._credentials.apply(found)
        return {name: value for name, value in found.items() if name.lower() in HEADERS}

    def _state(self) -> str:
        """Return the token's state: FRESH; STALE in its last minutes, while it is used until a new one is fetched; or
        INVALID."""
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
        """Load the credentials and fetch a token; runs in a thread. The library's messages may contain keys, so they
        are neither logged nor shown."""
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
    """Return a function from a model's name to its URL, at the regional or the global endpoint
    (https://cloud.google.com/vertex-ai/docs/reference/rest)."""
    host = "aiplatform" if location == "global" else f"{location}-aiplatform"
    base = base or f"https://{host}.googleapis.com"
    if not re.search(r"/v1(beta1)?$", base):
        base += "/v1"
    root = f"{base}/projects/{quote(project, safe='')}/locations/{location}/publishers/google/models/"
    return lambda model: root + quote(model, safe="")


def from_settings(settings: Settings) -> Gemini | None:
    """Return the provider if VERTEX_PROJECT is set, else None. Raises ValueError for an invalid location or URL."""
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
