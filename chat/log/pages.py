"""The log as the table has it: for readers whose events are in nobody's memory."""

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple
from uuid import UUID

from chat import models
from chat.log.sql import events_after, key_of
from chat.protocol import events
from chat.protocol.events import Event

PAGE_ROWS = 1000
"""Rows read from the table at once, at most."""

PAGE_BYTES = 64 * 1024
"""What a page holds of the table, unless its first event is larger: all that a reader who does not read ever costs."""


class Page(NamedTuple):
    """Committed events after a cursor, in order; `ended` when the stream's last event is among them or before them."""

    events: list[Event]
    ended: bool
    more: bool = False
    """Whether the page's size cut it off: read on at once."""
    deleted: bool = False
    """Whether there is no such stream (any more)."""


def read_page(stream_id: UUID, after: int) -> Page:
    """At most `PAGE_ROWS` events with a seq above `after`. For a thread."""
    # The status first: an end that is committed between the two queries is then seen at the next read, never missed.
    row = models.Stream.objects.filter(pk=stream_id).values_list("status", "last_seq").first()
    if row is None:
        return Page([], ended=True, deleted=True)
    found, size = list[Event](), 0
    with closing(events_after(key_of(stream_id), after, PAGE_ROWS)) as rows:
        for event in rows:
            size += len(event.data)
            if found and size > PAGE_BYTES:
                break
            found.append(event)
    last = found[-1].seq if found else after
    ended = row[0] != events.RUNNING and last >= row[1]
    return Page(found, ended, more=not ended and (size > PAGE_BYTES or len(found) == PAGE_ROWS))


def stored_events(stream_id: UUID, after: int = -1) -> Iterator[Event]:
    """All that is stored now after `after`, page by page: for code that runs in a thread."""
    more = True
    while more:
        page = read_page(stream_id, after)
        yield from page.events
        more = page.more
        after = page.events[-1].seq if page.events else after
