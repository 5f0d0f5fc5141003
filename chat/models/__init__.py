"""What is kept. A conversation is a tree of messages; a stream is one turn; its events are the log.

    User ──< Conversation ──< Message (parent → a tree: edits and regenerations are siblings)
      │            │             ├─1 Stream (the turn that writes this answer) ──< Event (stream, seq), 1 Receipt,
      │            │             │                                                 1 WriteTimes
      │            │             │        └──< Verdict (a reviewer's) ──< VerdictChange, 1 ReviewLock
      │            │             └─1 Feedback (a thumb up or down for this answer, and why)
      │            ├──< QueuedMessage (waits for the answer that runs)
      │            ├─1 SearchText (its words, to be searched)
      │            └──< Attachment (a photo, re-encoded, or a sound; gone with its conversation)
      ├──< Change (a line of the feeds: a turn began, a chat was renamed …)
      ├──< Ticket (starts one stream, and resumes it)
      ├──< ApiKey (for scripts of one's own)
      ├──< PushSubscription (a browser that is told of answers)
      ├──< SavedFilter (a reviewer's name for a narrowed list)
      ├──< DailyUse (questions and tokens of a day)
      └──< ModelUse (answers and tokens of a day by model)
    SiteUse (questions of a day, of all people)

`accounts.py` has who asks, `keys.py` and `invitations.py` what was given out,
`push.py` which browsers are told of answers, `audit.py` who did what,
`conversations.py` what was said, `queued_messages.py` what is said next, `changes.py` that it was, `search.py` by what
it is found, `receipts.py` how it reached its reader, `verdicts.py` what reviewers think of it, `saved_filters.py` how
they narrow their lists. A foreign id and an unknown id are the same to a reader: look everything up through `for_user`.
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
