"""Pages of committed events from the table, for readers whose events no tail has in memory."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple
from uuid import UUID

from chat import models
from chat.log.sql import events_after, key_of
from chat.protocol import events
from chat.protocol.events import Event

PAGE_ROWS = 1000
"""The most events of a page."""

PAGE_BYTES = 64 * 1024
"""The most characters of a page, unless its first event is larger: the memory that a stalled reader takes."""


class Page(NamedTuple):
    """Committed events after a cursor, in order. `ended`: the stream's last event is among them or before them."""

    events: list[Event]
    ended: bool
    more: bool = False
    """Whether the page is full, and more events may follow at once."""
    deleted: bool = False
    """Whether the stream does not exist (any more); then it has ended, too."""
    until: "asyncio.Future[None] | None" = None
    """Given with no events: the next page does not come before this is done, and may be asked for only then."""


def read_page(stream_id: UUID, after: int) -> Page:
    """The next page of events with a seq above `after`. It blocks: call it in a thread."""
    # The status is read first: an end committed between the two queries is then found by the next read.
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
    """All events stored after `after`, read page by page. It blocks: call it in a thread."""
    more = True
    while more:
        page = read_page(stream_id, after)
        yield from page.events
        more = page.more
        after = page.events[-1].seq if page.events else after
