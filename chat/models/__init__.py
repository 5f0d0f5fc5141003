"""The database. A conversation is a tree of messages; a stream is one turn; its events are the log.

    User ──< Conversation ──< Message (parent → a tree: edits and regenerations are siblings)
      │            │             ├─1 Stream (the turn that writes this answer) ──< Event (stream, seq), 1 Receipt,
      │            │             │                                                 1 WriteTimes
      │            │             │        └──< Verdict (a reviewer's) ──< VerdictChange, 1 ReviewLock
      │            │             └─1 Feedback (a thumb up or down for this answer, and why)
      │            ├──< QueuedMessage (waits for the answer that runs)
      │            ├─1 SearchText (its text in the search index)
      │            └──< Attachment (a photo, re-encoded, or a sound; gone with its conversation)
      ├──< Change (a line of the feeds: a turn began, a chat was renamed …)
      ├──< Ticket (starts one stream, and resumes it)
      ├──< ApiKey (for scripts of one's own)
      ├──< PushSubscription (a browser that is notified of answers)
      ├──< SavedFilter (a reviewer's named filter of a list)
      ├──< DailyUse (questions and tokens of a day)
      └──< ModelUse (answers and tokens of a day by model)
    SiteUse (questions of a day, of all users)
    Invitation (a link by which one person can sign up)
    AuditEntry (who did what, and when)

A user must not be able to tell a foreign id from an unknown one: look everything up through `for_user`.
"""

from chat.models.accounts import OwnedQuerySet, Ticket, User
from chat.models.audit import AuditEntry
from chat.models.changes import Change
from chat.models.conversations import Attachment, Conversation, Event, Feedback, Message, Stream
from chat.models.invitations import Invitation
from chat.models.keys import ApiKey
from chat.models.known import known
from chat.models.push import PushSubscription
from chat.models.queued_messages import QueuedMessage
from chat.models.receipts import Receipt, WriteTimes
from chat.models.saved_filters import SavedFilter
from chat.models.search import SearchText
from chat.models.usage import DailyUse, ModelUse, SiteUse
from chat.models.verdicts import PairVerdict, ReviewLock, StreamRerun, Verdict, VerdictChange

__all__ = [
    "ApiKey",
    "Attachment",
    "AuditEntry",
    "Change",
    "Conversation",
    "DailyUse",
    "Event",
    "Feedback",
    "Invitation",
    "Message",
    "ModelUse",
    "OwnedQuerySet",
    "PairVerdict",
    "PushSubscription",
    "QueuedMessage",
    "Receipt",
    "ReviewLock",
    "SavedFilter",
    "SearchText",
    "SiteUse",
    "Stream",
    "StreamRerun",
    "Ticket",
    "User",
    "Verdict",
    "VerdictChange",
    "WriteTimes",
    "known",
]
