"""A route of the API, as it is described: what it takes, what it answers, and with which statuses it refuses."""

from dataclasses import dataclass

from chat.views.openapi.parameters import Parameter

STREAM, FEED, CHUNK, RESPONSE_EVENT = "Event", "FeedEvent", "Chunk", "ResponseEvent"
"""Answers that are event streams; the schemas are those of one event."""
FORM = "multipart/form-data"

BEARER, ANYBODY, PAGE, READER = "bearer", "anybody", "page", "reader"
TICKET, DOOR, OPENAI = "ticket", "door", "openai"
"""Who asks: with a token or key; anybody; the page by its cookie; a reader by either; with a ticket; Gemini's clients
and OpenAI's, whose errors have another shape."""


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is its operationId. `body` is the struct that reads it, or `FORM`; `answer` a schema's name, a media type
    with a slash, or nothing: then the status is 204. `other` are what else a success may be: such answers, or `204`."""

    method: str
    path: str
    name: str
    summary: str
    body: type | str | None = None
    answer: str = ""
    takes: tuple[Parameter, ...] = ()
    who: str = BEARER
    status: int = 200
    other: tuple[str, ...] = ()
    refuses: tuple[int, ...] = ()
