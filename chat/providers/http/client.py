"""`Connection`: the HTTP client of all providers.

Whatever a server sends, the result is JSON objects or an `ApiError`. Redirects are not followed, decompression is
bounded, at most `max_size` bytes of an event are buffered, and messages for users never contain text of the server.
Timeouts are in `policy.py`, the same for all providers; only the connect timeout is here.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import aiohttp
import msgspec

from chat.protocol import errors, events, log_context
from chat.protocol.sse import MAX_SIZE
from chat.protocol.trace_context import traceparent_of
from chat.providers.http.decoding import error_in, json_of
from chat.providers.http.error_mapping import error_for, refused
from chat.providers.http.push_body import PushBody
from chat.providers.http.retry_delay import in_headers
from chat.providers.http.sse_response import Failure, IncomingAnswer, Reader
from chat.providers.http.unpacking import PackedWrong, Unpacker
from chat.providers.settings import Settings, number, text, whole

log = logging.getLogger(__name__)

MAX_SMALL = 1024 * 1024
MOST_HEADER, MOST_HEADERS = 32 * 1024, 256
"""The most bytes of one response header, and the most headers: aiohttp's defaults, a quarter and a half of these, are
too low behind gateways that add their own."""
READ_AHEAD = 64 * 1024
"""Bytes of a response that aiohttp buffers before it pauses the upstream, at twice this; a quarter of its default."""


class Connection:
    """A session for requests to upstream servers, created on first use in each event loop; `close` closes it.

    `traced`: requests of streams have a `traceparent` header.
    """

    def __init__(self, connect_seconds: float = 5.0, max_size: int = MAX_SIZE, *, traced: bool = False) -> None:
        self.connect_seconds = connect_seconds
        self.max_size = max_size
        self.traced = traced
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "Connection":
        """Create a connection from settings. Raises ValueError, whose message names the variable."""
        return cls(
            number(settings, "WONDERCAM_LIMIT_CONNECT_SECONDS", 5.0, 0.01),
            whole(settings, "WONDERCAM_LIMIT_UPSTREAM_EVENT_BYTES", MAX_SIZE, 1024),
            traced=bool(text(settings, "OTEL_EXPORTER_OTLP_ENDPOINT")),
        )

    def session(self) -> aiohttp.ClientSession:
        """Return the session of the running loop. It reuses connections and does not limit their number."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._loop = loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=READ_AHEAD,
                max_line_size=MOST_HEADER,
                max_field_size=MOST_HEADER,
                max_headers=MOST_HEADERS,
                headers={"Accept-Encoding": "identity", "User-Agent": "WonderCam"},
            )
        return self._session

    async def close(self) -> None:
        """Close the session and its connections; the next request creates a new one."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()

    async def stream(
        self, who: str, url: str, body: Mapping[str, Any], headers: Mapping[str, str], reader: Reader, give: events.Give
    ) -> None:
        """POST, and read the response's stream with `reader` to its end; see `IncomingAnswer.read`.

        In any case the connection is closed at once, even if more would arrive: the upstream stops when it notices
        that. Raises ApiError.
        """
        response = await self._post(who, url, body, headers)
        del body, headers  # an answer may take minutes
        try:
            unpacker = Unpacker(response.headers.get("Content-Encoding", ""))
            await IncomingAnswer(PushBody(response), who, self.max_size, reader, give, unpacker).read()
        finally:
            response.close()

    async def post(self, who: str, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        """POST, and return the JSON of a small response. Raises ApiError."""
        response = await self._post(who, url, body, headers)
        try:
            return await small_json(response)
        finally:
            response.close()

    async def _post(
        self, who: str, url: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        data = msgspec.json.encode(body)
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json", **headers}
        if self.traced and (stream_id := log_context.stream_id.get()):
            headers["traceparent"] = traceparent_of(UUID(stream_id))
        try:
            # Not `async with`: aiohttp's context manager would keep the request's coroutine as long as the response.
            response = await self.session().post(url, data=data, headers=headers, allow_redirects=False)
        except Failure as failure:
            log.warning("%s: %s before an answer", who, type(failure).__name__)
            raise unreached(failure, who) from None
        try:
            await check(response, who)
        except BaseException:
            response.close()
            raise
        return response

    async def get(self, who: str, url: str, headers: Mapping[str, str]) -> Any:
        """GET, and return the JSON of a small response. Raises ApiError."""
        try:
            async with self.session().get(url, headers=headers, allow_redirects=False) as response:
                await check(response, who)
                return await small_json(response)
        except Failure as failure:
            raise unreached(failure, who) from None

    async def look(self, who: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON at a URL where possibly no server, or another program, listens; POST with a body, else GET.
        Raises Unavailable for failures and for any status except 200, without logging."""
        method, data = ("GET", None) if body is None else ("POST", msgspec.json.encode(body))
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if data else {})}
        try:
            async with self.session().request(
                method, url, data=data, headers=headers, allow_redirects=False
            ) as response:
                if response.status == 200:
                    return await small_json(response)
        except Failure:
            pass
        raise errors.Unavailable(f"{who} is not there.")


def unreached(failure: Exception, who: str) -> errors.ApiError:
    """Return the error for a request without a response: no connection, or no valid HTTP."""
    if isinstance(failure, aiohttp.ClientResponseError):
        return errors.BadUpstream(f"{who} sent something that is no answer.")
    return errors.Unavailable(f"{who} cannot be reached at the moment.")


async def check(response: aiohttp.ClientResponse, who: str) -> None:
    """Check the status. Raises the mapped ApiError unless it is a success with a body."""
    if response.status >= 400:
        said = await small_json(response)
        said = said[0] if isinstance(said, list) and said else said
        error = error_in(said, "error") if isinstance(said, dict) else said
        raise refused(error, who, response.status, in_headers(response.headers))
    if response.status >= 300:
        raise error_for(response.status, who)
    if response.status not in (200, 201, 202, 203, 206):
        raise errors.BadUpstream(f"{who} answered with status {response.status} instead of an answer.")


async def small_json(response: aiohttp.ClientResponse) -> Any:
    """Return what `json_of` finds in a body; {} for a broken one, for more than MAX_SMALL bytes, and after 2 s."""
    data = bytearray()
    try:
        unpacker = Unpacker(response.headers.get("Content-Encoding", ""))
        async with asyncio.timeout(2):
            async for chunk in response.content.iter_any():
                data += b"".join(unpacker.feed(chunk))
                if len(data) > MAX_SMALL:
                    return {}
    except (*Failure, TimeoutError, PackedWrong):
        return {}
    return json_of(bytes(data))
