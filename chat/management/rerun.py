"""Sends a recorded request to a running server again, and compares the answers.

    body_of(recording) ── POST /v2/echat ──> Rerun (events with their arrival times) ── compare ──> Comparison

A rerun's times are measured by this client since it sent the request. So they include the network, which the recorded
times, measured by the server, do not.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

import aiohttp

from chat.models import Attachment
from chat.protocol import events, sse, timing
from chat.protocol.answer import same_beginning
from chat.protocol.events import Event
from chat.protocol.prompt import is_sound
from chat.protocol.recording import Recording
from chat.protocol.timing import Timing

LOST_PHOTO = {"text": "[a photo that did not come with the recording]"}
LOST_SOUND = {"text": "[a sound that did not come with the recording]"}
LONGEST = 600.0
"""The most seconds for one answer."""


class NotRun(Exception):
    """The request could not be sent again, or had no complete answer; the message says why."""


@dataclass(slots=True)
class Rerun:
    """The received stream: its id at the server, its events, and whether `[DONE]` arrived."""

    stream_id: str = ""
    events: list[Event] = field(default_factory=list)
    done: bool = False

    @property
    def error(self) -> str:
        """The message of the error that ended the stream; "" if it did not fail."""
        last = events.decode(self.events[-1].data) if self.events else {}
        return str((last.get("error") or {}).get("message", ""))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two answers to one request: their texts and times."""

    recorded: str
    now: str
    recorded_timing: Timing
    now_timing: Timing

    @property
    def same(self) -> int:
        """The number of characters before the first difference."""
        return same_beginning(self.recorded, self.now)

    @property
    def is_equal(self) -> bool:
        """Whether the texts are the same."""
        return self.recorded == self.now

    def as_json(self) -> dict[str, Any]:
        """Return the comparison in JSON types, with times in ms."""
        return {
            "equal": self.is_equal,
            "same_characters": self.same,
            "recorded": {"text": self.recorded, **self.recorded_timing.as_json()},
            "now": {"text": self.now, **self.now_timing.as_json()},
        }


def body_of(recording: Recording, model: str = "") -> dict[str, Any]:
    """Return the body of the request. Raises NotRun if the recording has no question."""
    header = recording.header
    request = header.get("request") if isinstance(header.get("request"), dict) else {}
    assert isinstance(request, dict)
    contents = request.get("contents") or [{"role": "user", "parts": header.get("question")}]
    asked = [_content(content) for content in contents if isinstance(content, dict)]
    if not asked or not asked[-1]["parts"]:
        raise NotRun("The recording has no request that could be sent again.")
    body: dict[str, Any] = {"contents": asked}
    for name in ("generationConfig", "systemInstruction"):
        if request.get(name):
            body[name] = request[name]
    named = f"{header.get('provider', '')}/{header.get('model', '')}"
    if model or "/" in named.strip("/"):
        body["model"] = model or named
    return body


def _content(content: dict[str, Any]) -> dict[str, Any]:
    parts = [_part(part) for part in content.get("parts") or () if isinstance(part, dict) and not part.get("thought")]
    return {"role": content.get("role", "user"), "parts": parts}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part that another server accepts: attachments stored here become `inlineData`."""
    if "attachment" not in part:
        return {name: part[name] for name in ("text", "inlineData") if name in part} or {"text": ""}
    try:
        photo = Attachment.objects.filter(pk=UUID(str(part["attachment"]))).first()
    except ValueError:
        photo = None
    if photo is None:
        return LOST_SOUND if is_sound(part) else LOST_PHOTO
    return {"inlineData": {"mimeType": photo.mime_type, "data": base64.b64encode(bytes(photo.data)).decode()}}


async def ask(url: str, token: str, body: dict[str, Any]) -> Rerun:
    """Send the request to `url`, as a new guest if `token` is "". Raises NotRun without a complete stream."""
    try:
        async with asyncio.timeout(LONGEST), aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {token or await _guest(session, url)}", "X-WonderCam-Timing": "1"}
            began = monotonic()
            async with session.post(f"{url}/v2/echat", json=body, headers=headers) as response:
                if response.status != 200:
                    raise NotRun(f"{url} answered {response.status}: {await _sentence(response)}")
                return await _read(response, began)
    except (aiohttp.ClientError, TimeoutError, ValueError) as wrong:
        raise NotRun(f"{url} could not be asked: {str(wrong) or type(wrong).__name__}.") from None


async def _guest(session: aiohttp.ClientSession, url: str) -> str:
    async with session.post(f"{url}/v2/auth/guest") as response:
        if response.status != 200:
            raise NotRun(f"{url} takes no guests ({response.status}): give an access token or an API key with --token.")
        return str((await response.json())["access"])


async def _sentence(response: aiohttp.ClientResponse) -> str:
    try:
        return str((await response.json())["error"]["message"])
    except (aiohttp.ClientError, ValueError, KeyError, TypeError):
        return "no WonderCam answers there."


async def _read(response: aiohttp.ClientResponse, began: float) -> Rerun:
    found, decoder = Rerun(response.headers.get("X-Stream-Id", "")), sse.Decoder()
    async for data, _ in response.content.iter_chunks():
        at = round((monotonic() - began) * 1_000_000)
        for event in decoder.feed(data):
            if event.data == events.DONE:
                found.done = True
            else:
                found.events.append(Event(len(found.events), at, event.data))
    if not found.done:
        raise NotRun(f"The answer was cut after {len(found.events)} events: check_streaming finds the cause.")
    return found


def compare(recording: Recording, found: Rerun) -> Comparison:
    """Compare the recorded answer with the new one."""
    return Comparison(
        events.answer_text(recording.events),
        events.answer_text(found.events),
        timing.of_events(recording.events),
        timing.of_events(found.events),
    )
