"""The newest messages of a chat as the server writes them into the page, to be read before its modules are loaded.

`templates/chat/_message.html` shows them, and `static/chat/view.js` takes the same elements over. Only what looks the
same there is written: whole answers, texts without photos and thoughts, messages of one version.
"""

from collections import Counter
from typing import Any, NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString

from chat.models import Message
from chat.protocol import events
from chat.views.answer_html import LONGEST, html_of
from chat.views.words import word

MOST = 6
"""Messages: more than a screen shows, where they are short."""

WITHOUT_STREAM = {"id": "", "status": events.COMPLETE, "reason": None, "model": "", "first_token_ms": None}


class Written(NamedTuple):
    """A message for the template."""

    id: str
    role: str
    label: str
    html: SafeString
    status: str
    mark: str = ""
    stream: str = ""
    model: str = ""
    pace: str = ""


class Newest(NamedTuple):
    """The messages, oldest first, and whether they are the whole chat."""

    messages: list[Written]
    is_all: bool


def newest(messages: list[dict[str, Any]]) -> Newest:
    """Return the last of these messages (`messages_of`), up to one that only the page can show."""
    known = {message["id"]: message for message in messages}
    versions = Counter((message["parent_id"], message["role"]) for message in messages)
    found: list[Written] = []
    step, length = messages[-1] if messages else None, 0
    while step and len(found) < MOST and length < LONGEST:
        written = _written(step) if versions[step["parent_id"], step["role"]] == 1 else None
        if written is None:
            break
        found.insert(0, written)
        length += len(step["text"])
        step = known.get(step["parent_id"])
    return Newest(found, step is None)


def _written(message: dict[str, Any]) -> Written | None:
    if any(set(part) != {"text"} for part in message["parts"]) or not message["text"]:
        return None
    if message["role"] == Message.USER:
        is_short = len(message["text"]) <= LONGEST
        said = escape(message["text"])
        return Written(message["id"], message["role"], word("You"), said, "sent", word("Sent")) if is_short else None
    stream: dict[str, Any] = message["stream"] or WITHOUT_STREAM
    html = html_of(message["text"])
    if stream["status"] != events.COMPLETE or stream["reason"] not in (None, "STOP") or html is None:
        return None
    names = {"stream": stream["id"], "model": stream["model"].split("/", 1)[-1], "pace": pace(stream)}
    return Written(message["id"], message["role"], "WonderCam", html, stream["status"], **names)


def pace(stream: dict[str, Any]) -> str:
    """Return the time to the first word and the tokens per second, as `rateOf` in `static/chat/times.js`."""
    first = stream["first_token_ms"]
    if first is None:
        return ""
    total, tokens = stream["duration_ms"], (stream["usage"] or {}).get("candidatesTokenCount") or 0
    took = 0 if total is None else total - first
    begun = f"{first / 1000:.1f} s" if first < 9_950 else f"{first / 1000:.0f} s"
    return begun if took < 50 or tokens < 2 else f"{begun} · {tokens * 1000 / took:.0f}/s"
