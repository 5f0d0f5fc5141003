"""The index of messages by what they say, for the review's search: of trigrams, on PostgreSQL alone (migration 0031).

    keep_current   in every process that serves: adds the messages that were stored meanwhile

The index holds the rows with `is_indexed`, which is set here and not where an answer is stored: to find the trigrams of
a long one takes PostgreSQL 15 ms, which would keep the other streams of its worker waiting.
"""

import asyncio
import logging
from datetime import timedelta
from time import monotonic

from django.db import connection
from django.utils import timezone

from chat.log.sql import DIALECT, DJANGO, in_thread, moment

log = logging.getLogger(__name__)

INDEX = "chat_message_said"

EVERY_SECONDS = 5.0
PAUSES = 3
"""How many times as long as a batch the pause after it is: indexing uses a quarter of a core at most."""

AT_ONCE = 4
"""Messages of a batch, whose rows are locked meanwhile."""

LONGEST = timedelta(hours=1)
"""How long a message may be empty because it is still being written. What is added to one later is indexed at once."""

ADD_SOME = """
UPDATE chat_message SET is_indexed = true WHERE id IN (
    SELECT id FROM chat_message WHERE NOT is_indexed AND (parts <> '[]' OR created_at < %s)
    ORDER BY id DESC LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)
"""
"""The newest first: older ones may be many, after an upgrade."""

COMPLETE = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid"


def exists() -> bool:
    """Whether this database has the index, and it is not the rest of an interrupted migration."""
    return connection.vendor == "postgresql" and bool(DJANGO.query(COMPLETE, (INDEX,)))


def add_some() -> bool:
    """Index some messages, if there is an index; whether there may be more."""
    return exists() and DJANGO.execute(ADD_SOME, (moment(timezone.now() - LONGEST), AT_ONCE)) == AT_ONCE


async def keep_current() -> None:
    """Index messages for as long as the process serves; several processes share the work."""
    if DIALECT.vendor != "postgresql":
        return
    while True:
        is_more, began = False, monotonic()
        try:
            is_more = await in_thread(add_some)
        except Exception as error:  # the database may be away: the next run tries again
            log.warning("messages could not be indexed: %s", type(error).__name__)
        await asyncio.sleep(PAUSES * (monotonic() - began) if is_more else EVERY_SECONDS)
