"""The routes of the API: what each takes, what it answers, and with which statuses it refuses."""

from chat.protocol.request import Ask
from chat.views.auth import Refresh, TokenBody
from chat.views.conversations import ConversationChange
from chat.views.keys import NewKey
from chat.views.message_queue import QueueChange
from chat.views.messages import FeedbackBody
from chat.views.openapi import parameters as of
from chat.views.openapi.door_routes import DOORS
from chat.views.openapi.route import ANYBODY, FEED, FORM, PAGE, READER, STREAM, TICKET, Route
from chat.views.push import SubscriptionBody, SubscriptionEnd
from chat.views.receipts import ReceiptBody

CONVERSATION = "/v2/conversations/{id}"
QUEUE = f"{CONVERSATION}/queue"

SIGNING_IN = (
    Route("POST", "/v2/auth/token", "signIn", "Sign in by name and password", TokenBody, "Pair", who=ANYBODY),
    Route(
        "POST",
        "/v2/auth/refresh",
        "refreshTokens",
        "The next pair; the refresh token is spent",
        Refresh,
        "Pair",
        who=ANYBODY,
    ),
    Route("POST", "/v2/auth/logout", "signOut", "End every token of the same sign-in", Refresh, who=ANYBODY),
    Route(
        "POST",
        "/v2/auth/guest",
        "beGuest",
        "A pair for a new guest, where guests are on",
        answer="Pair",
        who=ANYBODY,
        refuses=(403,),
    ),
    Route(
        "POST",
        "/v2/auth/session",
        "pageSession",
        "For the page: its cookie → an access token",
        answer="Session",
        who=PAGE,
    ),
    Route("POST", "/v2/tickets", "makeTicket", "A ticket for one native EventSource", answer="Ticket"),
)
ACCOUNT = (
    Route("GET", "/v2/me", "account", "One's own account, and what was used of the day", answer="Account"),
    Route("DELETE", "/v2/me", "deleteAccount", "The end of the account, with all that it has"),
    Route("GET", "/v2/me/export", "exportAccount", "All that one has, as a file", answer="application/zip"),
    Route("GET", "/v2/keys", "listKeys", "One's own API keys", answer="Keys"),
    Route("POST", "/v2/keys", "makeKey", "A new API key, shown this once", NewKey, "NewlyMadeKey", status=201),
    Route("DELETE", "/v2/keys/{id}", "endKey", "End an API key"),
    Route(
        "POST",
        "/v2/push",
        "subscribe",
        "Tell this browser of answers that end while no page is looked at",
        SubscriptionBody,
        refuses=(404,),
    ),
    Route("PATCH", "/v2/push", "resubscribe", "Go on under the newest sign-in", SubscriptionBody, refuses=(404,)),
    Route("DELETE", "/v2/push", "unsubscribe", "Tell this browser no more", SubscriptionEnd, refuses=(404,)),
)
ASKING = (
    Route(
        "POST",
        "/v2/echat",
        "ask",
        "Ask: an immediate OK, then the answer as it is generated",
        Ask,
        STREAM,
        of.ASKING,
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/v2/echat",
        "askByAddress",
        "The same for a native EventSource",
        answer=STREAM,
        takes=of.BY_ADDRESS,
        who=TICKET,
        other=("204",),
        refuses=(404,),
    ),
    Route(
        "POST",
        "/v2/chat",
        "askPlainly",
        "The same without the OK; with `stream` false one JSON answer",
        Ask,
        "GenerateContentResponse",
        of.ASKING,
        other=(STREAM,),
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/v2/streams/{stream}",
        "follow",
        "Follow one's own stream: what was missed, then live",
        answer=STREAM,
        takes=of.READING,
        who=READER,
        other=("204",),
    ),
    Route("POST", "/v2/streams/{stream}/stop", "stop", "Stop the generation; idempotent", answer="StreamStatus"),
    Route(
        "POST",
        "/v2/streams/{stream}/receipt",
        "sendReceipt",
        "When events came and were painted; idempotent",
        ReceiptBody,
        "ReceiptKept",
    ),
)
CONVERSATIONS = (
    Route(
        "GET",
        "/v2/conversations",
        "listConversations",
        "One's own conversations",
        answer="Conversations",
        takes=of.LIST,
    ),
    Route("GET", CONVERSATION, "conversation", "One conversation with its messages", answer="Transcript"),
    Route("PATCH", CONVERSATION, "changeConversation", "Rename, pin, instruct", ConversationChange, "Conversation"),
    Route("DELETE", CONVERSATION, "deleteConversation", "Delete with its photos and recordings"),
    Route(
        "GET",
        f"{CONVERSATION}/export",
        "exportConversation",
        "The conversation as a file",
        answer="text/markdown",
        takes=of.FORMAT,
        other=("ExportedConversation", "application/zip"),
    ),
    Route("GET", QUEUE, "queue", "The messages that wait for the answer that runs", answer="Queue"),
    Route("POST", QUEUE, "enqueue", "One more, sent once after the answer that runs", Ask, "QueuedMessage", status=201),
    Route("PATCH", f"{QUEUE}/{{message}}", "changeQueued", "Give it other words", QueueChange, "QueuedMessage"),
    Route("DELETE", f"{QUEUE}/{{message}}", "withdraw", "Take it back"),
    Route("POST", f"{QUEUE}/{{message}}/now", "sendNow", "Stop what runs, and send it", answer="QueuedMessage"),
    Route(
        "POST",
        "/v2/messages/{id}/feedback",
        "giveFeedback",
        "A thumb for an answer, and why; idempotent",
        FeedbackBody,
        "FeedbackKept",
    ),
    Route(
        "GET",
        f"{CONVERSATION}/events",
        "followConversation",
        "What happens in it",
        answer=FEED,
        takes=of.FEED,
        who=READER,
    ),
    Route(
        "GET",
        "/v2/feed",
        "followAll",
        "What happens in all of one's conversations",
        answer=FEED,
        takes=of.FEED,
        who=READER,
    ),
)
REST = (
    Route("POST", "/v2/attachments", "attach", "Keep a photo or a sound", FORM, "Attachment", status=201),
    Route("GET", "/v2/attachments/{id}", "attachment", "The photo or sound as it is kept", answer="image/jpeg"),
    Route("DELETE", "/v2/attachments/{id}", "deleteAttachment", "Delete one that no message has"),
    Route("GET", "/v2/models", "listModels", "The models and what each can do", answer="Models"),
    Route(
        "GET",
        "/v2/probe",
        "probe",
        "A synthetic stream at a known pace",
        answer=STREAM,
        takes=of.PROBE,
        who=ANYBODY,
        refuses=(400,),
    ),
    Route("GET", "/healthz", "isAlive", "Whether the process answers", answer="Health", who=ANYBODY),
    Route("GET", "/readyz", "isReady", "Whether it takes new turns", answer="Health", who=ANYBODY),
)
ROUTES = {
    "signing in": SIGNING_IN,
    "account": ACCOUNT,
    "asking": ASKING,
    "conversations": CONVERSATIONS,
    "doors": DOORS,
    "rest": REST,
}
"""By the tag that clients' generators group them by."""
