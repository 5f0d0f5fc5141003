"""`/v2/openapi.json`: the API described to machines, from the same structs that read the bodies."""

import re
from functools import cache
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat.protocol import receipt
from chat.protocol.completions import Completion
from chat.protocol.prompt import SOUND_TYPES
from chat.protocol.request import Ask
from chat.views.api import api, json_response
from chat.views.auth import Refresh, TokenBody
from chat.views.conversations import ConversationChange
from chat.views.gemini import GenerateContent
from chat.views.keys import NewKey
from chat.views.message_queue import QueueChange
from chat.views.messages import FeedbackBody
from chat.views.push import SubscriptionBody, SubscriptionEnd
from chat.views.receipts import ReceiptBody

Schema = dict[str, Any]

BODIES: tuple[type, ...] = (
    TokenBody,
    Refresh,
    Ask,
    ConversationChange,
    GenerateContent,
    Completion,
    NewKey,
    ReceiptBody,
    FeedbackBody,
    QueueChange,
    SubscriptionBody,
    SubscriptionEnd,
)

STREAM = "text/event-stream"
JSON = "application/json"

ROUTES: tuple[tuple[str, str, str, type | str | None, str], ...] = (
    ("POST", "/v2/auth/token", "A user name and password → an access and a refresh token", TokenBody, "Pair"),
    ("POST", "/v2/auth/refresh", "A refresh token → the next pair; the old one is spent", Refresh, "Pair"),
    ("POST", "/v2/auth/logout", "Sign out: every token of the same sign-in ends", Refresh, ""),
    ("POST", "/v2/auth/guest", "A pair for a new guest, where guests are on", None, "Pair"),
    ("POST", "/v2/auth/session", "The page's session cookie and CSRF token → an access token", None, "Session"),
    ("POST", "/v2/tickets", "A ticket for one native EventSource", None, "Ticket"),
    ("GET", "/v2/me", "One's own account, and what was used of the day", None, "Account"),
    ("DELETE", "/v2/me", "The end of the account, with all that it has", None, ""),
    ("GET", "/v2/me/export", "All that one has", None, "application/zip"),
    ("GET", "/v2/keys", "One's own API keys", None, "Keys"),
    ("POST", "/v2/keys", "A new API key, shown this once; scopes: chat, read", NewKey, "NewlyMadeKey"),
    ("DELETE", "/v2/keys/{id}", "End an API key", None, ""),
    ("POST", "/v2/push", "Tell this browser of answers that end while no page is looked at", SubscriptionBody, ""),
    (
        "PATCH",
        "/v2/push",
        "Go on under the newest sign-in; 404 where it is not told",
        SubscriptionBody,
        "",
    ),
    ("DELETE", "/v2/push", "Tell it no more", SubscriptionEnd, ""),
    ("POST", "/v2/echat", "Ask: an immediate OK, then the answer as it is generated", Ask, STREAM),
    ("GET", "/v2/echat", "The same for a native EventSource: ?data= and ?ticket=", None, STREAM),
    ("POST", "/v2/chat", "The same without the OK; with stream false one JSON answer", Ask, STREAM),
    (
        "GET",
        "/v2/streams/{id}",
        "Follow one's own stream after Last-Event-ID or ?after=; ?poll=1, ?snapshot=1",
        None,
        STREAM,
    ),
    ("POST", "/v2/streams/{id}/stop", "Stop the generation; idempotent", None, "StreamStatus"),
    (
        "POST",
        "/v2/streams/{id}/receipt",
        "When events came and were painted; idempotent",
        ReceiptBody,
        "ReceiptKept",
    ),
    ("GET", "/v2/conversations", "One's own conversations: ?q=, ?limit=, ?cursor=", None, "Conversations"),
    ("GET", "/v2/conversations/{id}", "One conversation with its messages and stream ids", None, "Transcript"),
    ("GET", "/v2/conversations/{id}/export", "As a file: ?format= md, json or zip", None, "application/octet-stream"),
    ("PATCH", "/v2/conversations/{id}", "Rename, pin", ConversationChange, "Conversation"),
    ("DELETE", "/v2/conversations/{id}", "Delete with its photos and recordings", None, ""),
    ("GET", "/v2/conversations/{id}/queue", "The messages that wait for the answer that runs", None, "Queue"),
    ("POST", "/v2/conversations/{id}/queue", "One more, sent once after the answer that runs", Ask, "QueuedMessage"),
    ("PATCH", "/v2/conversations/{id}/queue/{message}", "Give it other words", QueueChange, "QueuedMessage"),
    ("DELETE", "/v2/conversations/{id}/queue/{message}", "Take it back", None, ""),
    ("POST", "/v2/conversations/{id}/queue/{message}/now", "Stop what runs, and send it", None, "QueuedMessage"),
    ("POST", "/v2/messages/{id}/feedback", "A thumb for an answer, and why; idempotent", FeedbackBody, "FeedbackKept"),
    (
        "GET",
        "/v2/conversations/{id}/events",
        "What happens in it, after Last-Event-ID or ?after=; ?poll=1",
        None,
        STREAM,
    ),
    ("GET", "/v2/feed", "The same of all of one's own conversations", None, STREAM),
    ("POST", "/v2/attachments", "One photo or sound (multipart field `photo` or `sound`)", "multipart", "Attachment"),
    ("GET", "/v2/attachments/{id}", "The photo or sound as it is kept", None, "image/jpeg"),
    ("GET", "/v2/models", "The models and what each can do", None, "Models"),
    ("GET", "/v2/probe", "A synthetic stream at a known pace: ?events=, ?gap= in ms, ?size=", None, STREAM),
    ("POST", "/v1beta/models/{model}:generateContent", "Gemini's API: one answer", GenerateContent, "Response"),
    ("POST", "/v1beta/models/{model}:streamGenerateContent", "Gemini's API: ?alt=sse", GenerateContent, STREAM),
    ("POST", "/v1beta/models/{model}:countTokens", "Gemini's API: the tokens of a request", GenerateContent, "Count"),
    ("GET", "/v1beta/models", "The models in Gemini's shape and OpenAI's: ?pageSize=, ?pageToken=", None, "Listing"),
    (
        "POST",
        "/v1/chat/completions",
        "OpenAI's API: one completion, or with stream true its chunks",
        Completion,
        "Completed",
    ),
    ("GET", "/healthz", "Whether the process answers", None, "Health"),
    ("GET", "/readyz", "Whether it takes new turns", None, "Health"),
)
"""(method, path, what it does, body, what a success carries: a schema's name, a media type, or nothing: 204)."""

PUBLIC = {"/v2/auth/token", "/v2/auth/refresh", "/v2/auth/logout", "/v2/auth/guest", "/healthz", "/readyz", "/v2/probe"}

TEXT: Schema = {"type": "string"}
ID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer"}


def of(**properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def many(item: Schema) -> Schema:
    """A list of them."""
    return {"type": "array", "items": item}


SUMMARY = {"id": ID, "title": TEXT, "pinned": FLAG, "created_at": TIME, "updated_at": TIME}
LISTED = of(**SUMMARY, running=FLAG)
LISTED["properties"] = {**LISTED["properties"], "excerpt": TEXT}
MAYBE_COUNT: Schema = {"type": ["integer", "null"]}
ANSWERED = of(
    id=ID,
    status=TEXT,
    model=TEXT,
    last_seq=COUNT,
    error={"type": ["object", "null"]},
    reason={"type": ["string", "null"]},
    usage={"type": ["object", "null"]},
    first_token_ms=MAYBE_COUNT,
    thought_ms=MAYBE_COUNT,
    duration_ms=MAYBE_COUNT,
)
FEEDBACK: Schema = {"anyOf": [of(value={"enum": [1, -1]}, reason=TEXT), {"type": "null"}]}
MESSAGE = of(
    id=ID,
    parent_id={"type": ["string", "null"], "format": "uuid"},
    role={"enum": ["user", "model"]},
    parts=many({"type": "object"}),
    text=TEXT,
    created_at=TIME,
    stream={"anyOf": [ANSWERED, {"type": "null"}]},
    feedback=FEEDBACK,
)
MODEL = of(
    id=TEXT,
    title=TEXT,
    text=FLAG,
    images=FLAG,
    photos={"enum": ["seen", "read", "no"]},
    sounds=FLAG,
    sound_types=many({"enum": list(SOUND_TYPES)}),
    context=MAYBE_COUNT,
    default=FLAG,
)

MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
KEY = {
    "id": ID,
    "name": TEXT,
    "hint": TEXT,
    "scopes": many({"enum": ["chat", "read"]}),
    "created_at": TIME,
    "expires_at": MAYBE_TIME,
    "last_used_at": MAYBE_TIME,
}

QUEUED = of(
    id=ID,
    parts=many({"type": "object"}),
    text=TEXT,
    model=TEXT,
    state={"enum": ["waiting", "held", "started"]},
    stream={"type": ["string", "null"], "format": "uuid"},
    created_at=TIME,
)
HELD = of(because={"enum": ["stopped", "failed", "interrupted", "refused", "gone"]}, message=TEXT)

SCHEMAS: dict[str, Schema] = {
    "Error": of(error=of(code=COUNT, status=TEXT, message=TEXT)),
    "Pair": of(access=TEXT, refresh=TEXT),
    "Session": of(access=TEXT, expires_in=COUNT, user=of(name=TEXT, guest=FLAG)),
    "Ticket": of(ticket=TEXT, expires_in=COUNT),
    "Account": of(
        id=COUNT,
        name=TEXT,
        guest=FLAG,
        created_at=TIME,
        today=of(questions=COUNT, tokens=COUNT, most_questions=COUNT, most_tokens=COUNT),
    ),
    "Keys": of(keys=many(of(**KEY))),
    "NewlyMadeKey": of(**KEY, key=TEXT),
    "ReceiptKept": of(id=ID, events=COUNT, verdict={"enum": list(receipt.VERDICTS)}),
    "FeedbackKept": of(id=ID, feedback=FEEDBACK),
    "StreamStatus": of(id=ID, status={"enum": ["running", "complete", "stopped", "failed", "interrupted"]}),
    "Conversation": of(**SUMMARY),
    "Conversations": {
        **of(conversations=many(LISTED), next={"type": ["string", "null"]}),
        "description": "With ?q= also `partial`: whether older conversations are still to be read, so ask again",
    },
    "Transcript": of(**SUMMARY, system=TEXT, messages=many(MESSAGE), queued=COUNT),
    "Queue": of(messages=many(QUEUED), held={"anyOf": [HELD, {"type": "null"}]}),
    "QueuedMessage": QUEUED,
    "Attachment": {
        "anyOf": [of(id=ID, width=COUNT, height=COUNT), of(id=ID, mimeType=TEXT, seconds={"type": "number"})]
    },
    "Models": of(models=many(MODEL)),
    "Health": of(status=TEXT),
    "Response": {"type": "object", "description": "Gemini's GenerateContentResponse"},
    "Completed": {"type": "object", "description": "OpenAI's chat.completion, or its chunks as an event stream"},
    "Count": of(totalTokens=COUNT),
    "Listing": {"type": "object", "description": "Gemini's ListModelsResponse, and OpenAI's list beside it"},
}


@cache
def document() -> Schema:
    """The whole description, in OpenAPI 3.1."""
    _, bodies = msgspec.json.schema_components(BODIES, ref_template="#/components/schemas/{name}")
    paths: dict[str, Schema] = {}
    for method, path, summary, body, result in ROUTES:
        paths.setdefault(path, {})[method.lower()] = operation(path, summary, body, result)
    return {
        "openapi": "3.1.0",
        "info": {"title": "WonderCam", "version": "2", "description": (__doc__ or "").strip()},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": {**bodies, **SCHEMAS},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def operation(path: str, summary: str, body: type | str | None, result: str) -> Schema:
    """One method of one path."""
    described: Schema = {"summary": summary, "responses": {**success(result), "default": failure()}}
    if names := re.findall(r"\{(\w+)\}", path):
        described["parameters"] = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]
    if isinstance(body, type):
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": ref(body.__name__)}}}
    elif body == "multipart":
        photo = of(photo={"type": "string", "format": "binary"})
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": photo}}}
    if path in PUBLIC:
        described["security"] = []
    return described


def success(result: str) -> Schema:
    """What a success looks like."""
    if not result:
        return {"204": {"description": "Done"}}
    if "/" in result:
        return {"200": {"description": "OK", "content": {result: {"schema": TEXT}}}}
    return {"200": {"description": "OK", "content": {JSON: {"schema": ref(result)}}}}


def failure() -> Schema:
    """Every error, in Google's model."""
    return {"description": "What went wrong, in a sentence", "content": {JSON: {"schema": ref("Error")}}}


def ref(name: str) -> Schema:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


@api("GET")
async def show(request: HttpRequest) -> HttpResponseBase:
    """The description."""
    return json_response(document())
