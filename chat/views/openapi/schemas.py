"""The shapes of what the API answers, as JSON Schema. Those of what it takes come from the structs that read them."""

from typing import Any

from chat.protocol import receipt
from chat.protocol.prompt import SOUND_TYPES

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
ID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer"}
BINARY: Schema = {"type": "string", "format": "binary"}


def of(**properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def event(data: str) -> Schema:
    """One event of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    fields: Schema = {"id": TEXT, "event": TEXT, "retry": COUNT, "data": {**TEXT, "description": data}}
    return {"type": "object", "properties": fields}


def many(item: Schema) -> Schema:
    """A list of them."""
    return {"type": "array", "items": item}


SUMMARY = {"id": ID, "title": TEXT, "pinned": FLAG, "created_at": TIME, "updated_at": TIME}
LISTED = of(**SUMMARY, running=FLAG)
LISTED["properties"] = {**LISTED["properties"], "excerpt": TEXT}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
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
    thinks=FLAG,
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
    "OpenAIError": of(error=of(message=TEXT, type=TEXT, param=MAYBE_TEXT, code=MAYBE_TEXT)),
    "Event": event("A response of Gemini's (GenerateContentResponse) as JSON, or an error; the last is `[DONE]`"),
    "FeedEvent": event("What happened, as JSON: its `type`, its `conversation`, and what belongs to the type"),
    "Chunk": event(
        "OpenAI's chat.completion.chunk as JSON; at its `wondercam.seq` `/v2/streams/<its id>` goes on; "
        "the last is `[DONE]`"
    ),
    "Pair": of(access=TEXT, refresh=TEXT),
    "Session": of(access=TEXT, expires_in=COUNT, user=of(name=TEXT, guest=FLAG)),
    "Ticket": of(ticket=TEXT, expires_in=COUNT),
    "Account": of(
        id=COUNT,
        name=TEXT,
        guest=FLAG,
        created_at=TIME,
        today=of(
            questions=COUNT,
            tokens=COUNT,
            most_questions=COUNT,
            most_tokens=COUNT,
            site={"enum": ["enough", "less", "used_up"], "description": "How much is left of all people's budget"},
        ),
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
    "ExportedConversation": of(**SUMMARY, system=TEXT, messages=many(MESSAGE)),
    "Queue": of(messages=many(QUEUED), held={"anyOf": [HELD, {"type": "null"}]}),
    "QueuedMessage": QUEUED,
    "Attachment": {
        "anyOf": [of(id=ID, width=COUNT, height=COUNT), of(id=ID, mimeType=TEXT, seconds={"type": "number"})]
    },
    "Models": of(models=many(MODEL)),
    "Health": of(status=TEXT),
    "GenerateContentResponse": {"type": "object", "description": "Gemini's GenerateContentResponse"},
    "GenerateContentResponses": many({"type": "object", "description": "Gemini's GenerateContentResponse"}),
    "Completed": {"type": "object", "description": "OpenAI's chat.completion"},
    "Responded": {"type": "object", "description": "OpenAI's response"},
    "ResponseEvent": event("A typed event of OpenAI's Responses API as JSON, with its `sequence_number`"),
    "InputTokens": of(object=TEXT, input_tokens=COUNT),
    "Gone": of(id=TEXT, object=TEXT, deleted=FLAG),
    "AttachmentForm": {"anyOf": [of(photo=BINARY), of(sound=BINARY)]},
    "Count": of(totalTokens=COUNT),
    "Listing": {"type": "object", "description": "Gemini's ListModelsResponse, and OpenAI's list beside it"},
}
