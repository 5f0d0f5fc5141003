"""What routes take beside a body: queries and headers; and the headers that responses carry."""

from typing import NamedTuple

from chat.views.conversations import LARGEST_PAGE, LONGEST_QUERY, PAGE
from chat.views.openapi.schemas import ID, TEXT, Schema
from chat.views.probe import LONGEST_GAP, MOST_EVENTS, MOST_PADDING


class Parameter(NamedTuple):
    """One query, or one header where `place` says so."""

    name: str
    description: str
    schema: Schema = TEXT
    place: str = "query"
    required: bool = False

    def as_json(self) -> Schema:
        """OpenAPI's Parameter Object."""
        told = {"name": self.name, "in": self.place, "description": self.description, "schema": self.schema}
        return {**told, "required": True} if self.required else told


def number(least: int, most: int, default: int) -> Schema:
    """A whole number within bounds."""
    return {"type": "integer", "minimum": least, "maximum": most, "default": default}


def header(name: str, description: str, schema: Schema = TEXT) -> Parameter:
    """A header of a request."""
    return Parameter(name, description, schema, "header")


SEQ: Schema = {"type": "integer", "minimum": 0}

LAST_EVENT_ID = header("Last-Event-ID", "The id of the last event that the reader has: what comes is what follows it")
AFTER = Parameter("after", "The same by its number, for clients that set no headers", SEQ)
POLL = Parameter("poll", "1: only what is stored now; the response ends with it")
SNAPSHOT = Parameter("snapshot", "1: begin with all that was said so far as one event")
TIMING = header("X-WonderCam-Timing", "1: each event is preceded by a comment `: t=<ms since the stream began>`")
RECEIPT = header("X-WonderCam-Receipt", "1: note when each event is written to this reader; a receipt will follow")
SNAPSHOT_HEADER = header("X-WonderCam-Snapshot", "1: as `snapshot=1`")

ASKING = (LAST_EVENT_ID, POLL, TIMING, RECEIPT)
READING = (LAST_EVENT_ID, AFTER, POLL, SNAPSHOT, SNAPSHOT_HEADER, TIMING, RECEIPT)
FEED = (LAST_EVENT_ID, AFTER, POLL)
BY_ADDRESS = (
    Parameter("data", "The body of `POST /v2/echat`, as JSON; left out only by a reader that comes back"),
    Parameter("ticket", "A ticket, where no access token is sent"),
    *ASKING,
)
LIST = (
    Parameter("q", f"Only those with all of these words, in title or text; {LONGEST_QUERY} characters count"),
    Parameter("limit", "How many", number(1, LARGEST_PAGE, PAGE)),
    Parameter("cursor", "`next` of the page before"),
)
FORMAT = (Parameter("format", "How the file is made", {"enum": ["md", "json", "zip"], "default": "md"}),)
PROBE = (
    Parameter("events", "How many", number(1, MOST_EVENTS, 40)),
    Parameter("gap", "Milliseconds between two of them", number(1, LONGEST_GAP, 50)),
    Parameter("size", "Bytes of padding in each", number(0, MOST_PADDING, 0)),
)
KEY = (Parameter("key", "An access token or API key, where no header carries it"),)
ALT = (Parameter("alt", "`sse`: an event stream; else a JSON array of responses", {"enum": ["sse", "json"]}), *KEY)
PAGES = (
    Parameter("pageSize", "How many models, at most 1,000", {"type": "integer", "minimum": 0}),
    Parameter("pageToken", "`nextPageToken` of the page before"),
    *KEY,
)


RESPONSE = (
    Parameter("stream", "true: its typed events, what was missed and then live", {"type": "boolean"}),
    Parameter("starting_after", "The `sequence_number` of the last event that the reader has", SEQ),
)


def told(description: str, schema: Schema = TEXT) -> Schema:
    """A header of a response."""
    return {"description": description, "schema": schema}


OF_STREAM = {
    "X-Stream-Id": told("The stream that the response follows", ID),
    "X-Conversation-Id": told("Its conversation", ID),
    "X-Message-Id": told("The question", ID),
    "X-Answer-Id": told("The answer", ID),
}
RETRY_AFTER = {"Retry-After": told("Seconds after which it may be asked again", {"type": "integer", "minimum": 1})}
