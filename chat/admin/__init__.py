"""The admin, called the review: staff read conversations and streams, reviewers file verdicts. The log is read-only.

    conversations ── transcripts, each answer with its stream's status and times
    streams ──────── a turn: its times, a chart of its flow, its events in pages; two streams side by side; and the
                     operators' page about running streams, open breakers, queues and failures
    users ────────── accounts: activated and deactivated
    API keys ─────── whose there are; staff with the permission end them
    verdicts ─────── the queues of answers to review, and the verdicts of reviewers
    pairs ────────── blind comparisons of two answers to one request
    spending ─────── the tokens of each model, by user and day, and their cost
    audit entries ── the audit log

`chat/review_site.py` has the site itself, which requires a second factor. `access.py` decides who sees texts, and who
only times and structure. Stored text is always escaped. Every list and page is bounded, however much is stored.
"""

from chat.admin.accounts import AccountAdmin
from chat.admin.audit import AuditAdmin
from chat.admin.conversations import ConversationAdmin
from chat.admin.keys import KeyAdmin
from chat.admin.pairs import PairAdmin
from chat.admin.spending import SpendingAdmin
from chat.admin.streams import StreamAdmin
from chat.admin.verdicts import VerdictAdmin

__all__ = [
    "AccountAdmin",
    "AuditAdmin",
    "ConversationAdmin",
    "KeyAdmin",
    "PairAdmin",
    "SpendingAdmin",
    "StreamAdmin",
    "VerdictAdmin",
]
