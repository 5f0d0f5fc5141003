"""The review: what was said, by whom, how each answer streamed. Staff look, reviewers judge; nobody changes a log here.

    conversations ── a readable transcript, each answer with its stream's status and times
    streams ──────── one turn: its times, a picture of its flow, its events a page at a time; two of them side by side;
                     and what runs, rests, waits and fails now, for operators
    users ────────── switched on and off; who they are stays as it is
    verdicts ─────── the queue of answers to review, and what reviewers filed
    pairs ────────── two answers to one request, compared without their names
    spending ─────── what was used of each model, by person and day, and what it costs
    audit entries ── who read whose session, who changed what of an account

`chat/review_site.py` has the site itself, and the second factor that it asks staff for. Who sees texts, and not times
and structure alone, is in `access.py`. Whatever was stored is shown as escaped text and nothing else. Every list and
page is bounded, whatever is stored.
"""

from chat.admin.accounts import AccountAdmin
from chat.admin.audit import AuditAdmin
from chat.admin.conversations import ConversationAdmin
from chat.admin.pairs import PairAdmin
from chat.admin.spending import SpendingAdmin
from chat.admin.streams import StreamAdmin
from chat.admin.verdicts import VerdictAdmin

__all__ = [
    "AccountAdmin",
    "AuditAdmin",
    "ConversationAdmin",
    "PairAdmin",
    "SpendingAdmin",
    "StreamAdmin",
    "VerdictAdmin",
]
