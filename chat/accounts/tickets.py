"""Tickets: how a native EventSource, which can send no header, starts one stream and comes back to it."""

import hashlib
import secrets
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.utils import timezone

from chat.accounts import tokens
from chat.accounts.claims import Claims
from chat.log import Log
from chat.models import Ticket, User
from chat.models.accounts import BAD_TICKET
from chat.protocol.errors import Unauthenticated

SECONDS = 30
"""For which a ticket may start its stream."""


async def give(user: User) -> str:
    """A new ticket of 128 random bits, bound to the sign-in that the user came by. Only its digest is kept."""
    now = timezone.now()
    await sync_to_async(Ticket.prune)(user.pk, now)
    raw = secrets.token_urlsafe(16)
    claims: Claims = user.claims
    await Ticket.objects.acreate(
        digest=digest(raw),
        user=user,
        family=claims.family,
        version=claims.version,
        expires_at=now + timedelta(seconds=SECONDS),
    )
    return raw


async def holder(raw: str, log: Log) -> Ticket:
    """The ticket, with its user: unused and fresh, or of a stream that runs or has ended a short while ago.

    Unauthenticated otherwise, and when the sign-in that it was given to has ended.
    """
    ticket = await Ticket.objects.select_related("stream").filter(digest=digest(raw)).afirst()
    if ticket is None or not ticket.is_open(timezone.now()):
        raise Unauthenticated(BAD_TICKET)
    try:
        ticket.user = await tokens.holder(Claims(ticket.user_id, ticket.version, ticket.family, ""), log)
    except Unauthenticated:
        raise Unauthenticated(BAD_TICKET) from None
    return ticket


def digest(raw: str) -> str:
    """SHA-256 in hex: what is kept of a ticket."""
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()
