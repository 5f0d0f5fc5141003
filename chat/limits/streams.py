"""The limits of concurrently running streams, counted as rows in the transaction that starts one more."""

import math
from functools import partial
from typing import Any

from django.conf import settings

from chat.limits.rates import of
from chat.log.sql import DIALECT, DJANGO, Database
from chat.models import Stream, User
from chat.protocol import events
from chat.protocol.errors import ResourceExhausted, Unavailable

RUNNING_STREAMS = f"""
SELECT COALESCE(SUM(CASE WHEN user_id = %s THEN 1 ELSE 0 END), 0), COUNT(*) FROM {Stream._meta.db_table}
WHERE status = %s
"""

RUNNING_OF_THE_NETWORK = f"""
SELECT COUNT(*) FROM {Stream._meta.db_table} stream JOIN {User._meta.db_table} asker ON asker.id = stream.user_id
WHERE stream.status = %s AND asker.is_guest AND asker.network <> ''
AND asker.network = (SELECT network FROM {User._meta.db_table} WHERE id = %s)
"""


HOLD_USER = f"SELECT id FROM {User._meta.db_table} WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED"


def check_streams(user_id: int, database: Database = DJANGO, *, is_guest: bool = False) -> None:
    """Refuse one more running stream over the limits of this user, of its network's guests, or of the whole site.

    It is called in the transaction that inserts the stream, where count and insert are one step: on SQLite that holds
    the only write lock, on PostgreSQL the lock of the user's row. A locked row is not waited for: one transaction
    starts turns of many users, so two workers could deadlock.
    """
    if settings.LIMITS_OFF:
        return
    if DIALECT.features.has_select_for_update_skip_locked:  # not `connection`: on the loop that leaves a cycle a task
        database.verify(HOLD_USER, (user_id,), check_held)
    database.verify(RUNNING_STREAMS, (user_id, events.RUNNING), partial(check_counts, is_guest))
    if is_guest:
        database.verify(RUNNING_OF_THE_NETWORK, (events.RUNNING, user_id), check_network)


def check_held(found: list[Any]) -> None:
    """Refuse if another transaction has locked the user's row."""
    if not found:
        raise ResourceExhausted("Another answer of yours begins at this moment: try again.", retry_after=1)


def check_counts(is_guest: bool, found: list[Any]) -> None:
    """Refuse over a limit, and guests when only the streams reserved for accounts are left."""
    own, all_of_them = found[0]
    if own >= of("STREAMS_USER"):
        raise ResourceExhausted("Another answer is still being written: wait for it, or stop it.", retry_after=2)
    if all_of_them >= of("STREAMS"):
        raise Unavailable("Too many answers are being written just now: try again soon.", retry_after=2)
    if is_guest and all_of_them >= math.ceil(of("STREAMS") * of("STREAMS_GUESTS_PERCENT") / 100):
        raise Unavailable(
            "The places for guests are all taken: try again soon, or sign in to use one kept for accounts.",
            retry_after=2,
        )


def check_network(found: list[Any]) -> None:
    """Refuse a guest over the limit of its network."""
    if found[0][0] >= of("STREAMS_NETWORK"):
        raise ResourceExhausted(
            "Too many answers are being written for guests of your network: try again soon, or sign in.", retry_after=2
        )
