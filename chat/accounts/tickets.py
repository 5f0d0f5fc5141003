"""Tickets: they authenticate a native EventSource, which cannot send headers, to start and resume one stream."""

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
"""How long a ticket may start its stream."""


async def give(user: User) -> str:
    """A new ticket of 128 random bits, bound to the user's sign-in. Only its digest is stored."""
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
    """The ticket, with its user. It must be unused and not expired, or belong to a stream that runs or ended recently.

    Unauthenticated otherwise, and if its sign-in has ended.
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
    """The SHA-256 digest that is stored for a ticket."""
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()
