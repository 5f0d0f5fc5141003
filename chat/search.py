"""Full-text search in the user's conversations: every word must occur somewhere in the title or in the messages.

    catch_up ── indexes the conversations that changed since the last search, newest first, a few at a time
    found ───── the conversations that contain every word

The index is `SearchText`, one row per conversation, with folded text. On SQLite it has an FTS5 table of trigrams, which
triggers keep up to date; on PostgreSQL a GIN index of `pg_trgm` (migration 0016 makes either if the database supports
it). Both find substrings from three letters on, in every script. For shorter words, and without either, the user's rows
are scanned: the result is the same, but slower.

Indexing happens only during a search, and only for what has changed: questions and answers pay nothing for it.
"""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from chat.models import Conversation, Message, SearchText, Stream
from chat.protocol import events

MOST_WORDS = 8
LONGEST_TEXT = 200_000
"""Characters of a conversation that are indexed, the newest first."""

BATCH = 20
"""Conversations that are indexed in one transaction, which takes some 10 ms."""

SECONDS = 0.4
"""How long one search may spend on indexing; the rest is left to the next search."""

TRIGRAMS = "chat_searchtext_trigrams"
HAS_WORD = f"SELECT rowid FROM {TRIGRAMS} WHERE {TRIGRAMS} MATCH %s"
EXCERPT = 60
"""Characters of context on either side of a match."""

Write = Callable[[Callable[[], Any]], Awaitable[Any]]
"""`Log.write`, which runs a job in a transaction."""


class ConversationText(NamedTuple):
    """A conversation's text to be indexed. `seen` is its `updated_at` when it was read."""

    conversation: UUID
    seen: datetime
    text: str


def folded(text: str) -> str:
    """The text without case, accents and character widths, so that a search ignores them."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(letter for letter in split if not unicodedata.combining(letter)))


def words(query: str) -> list[str]:
    """The folded words of a query; a phrase in quotation marks counts as one word."""
    parts = re.findall(r'"([^"]+)"|(\S+)', folded(query).replace("“", '"').replace("”", '"'))
    found = ((quoted or plain).strip() for quoted, plain in parts)
    return [word for word in dict.fromkeys(found) if word][:MOST_WORDS]


def found(user_id: int | None, query: str) -> QuerySet[Conversation]:
    """The user's conversations that contain every word of the query, as far as they are indexed."""
    rows = SearchText.objects.all()
    for word in words(query):
        rows = rows.filter(_has(word))
    own: QuerySet[Conversation] = Conversation.objects.for_user(user_id)
    # A subquery, not a join: SQLite would look up each of the user's chats for each row found.
    return own.filter(pk__in=rows.order_by().values("conversation_id"))


def _has(word: str) -> Q:
    if len(word) >= 3 and connection.vendor == "sqlite" and has_trigrams():
        phrase = '"' + word.replace('"', '""') + '"'
        return Q(pk__in=RawSQL(HAS_WORD, [phrase]))  # noqa: S611 # nosec B611 (a constant)
    return Q(text__contains=word)


def has_trigrams() -> bool:
    """Whether this SQLite database has the table of trigrams."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [TRIGRAMS])
        return cursor.fetchone() is not None


async def catch_up(user_id: int, write: Write, seconds: float = SECONDS) -> bool:
    """Index what has changed, for about `seconds`; returns whether everything is indexed."""
    until = monotonic() + seconds
    while rows := await sync_to_async(_read)(user_id):
        await write(partial(_store, user_id, rows))
        if len(rows) < BATCH:
            break
        if monotonic() > until:
            return False
    return True


def _read(user_id: int) -> list[ConversationText]:
    """The next conversations that changed since they were indexed, without those with a running answer."""
    running = Stream.objects.filter(conversation=OuterRef("pk"), status=events.RUNNING)
    own = Conversation.objects.for_user(user_id).exclude(searchable__seen=F("updated_at")).exclude(Exists(running))
    rows = list(own.order_by("-updated_at").values_list("pk", "title", "updated_at")[:BATCH])
    said = _said([pk for pk, _, _ in rows])
    return [ConversationText(pk, at, folded("\n".join([title, *said[pk]])[:LONGEST_TEXT])) for pk, title, at in rows]


def _said(conversations: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The texts of these conversations, the newest first."""
    texts: dict[UUID, list[str]] = {pk: [] for pk in conversations}
    messages = Message.objects.filter(conversation__in=conversations).order_by("-position")
    for message in messages.only("conversation_id", "parts"):
        texts[message.conversation_id].append(message.text)
    return texts


def _store(user_id: int, rows: Sequence[ConversationText]) -> None:
    ids = [row.conversation for row in rows]
    own = Conversation.objects.for_user(user_id).filter(pk__in=ids).select_for_update()
    there = set(own.values_list("pk", flat=True))  # locked against a concurrent deletion
    SearchText.objects.bulk_create(
        [SearchText(conversation_id=row.conversation, seen=row.seen, text=row.text) for row in rows if row[0] in there],
        update_conflicts=True,
        unique_fields=["conversation"],
        update_fields=["seen", "text"],
    )


def forget(conversation_id: UUID) -> None:
    """Have a conversation indexed again, after its title has changed."""
    SearchText.objects.filter(conversation=conversation_id).update(seen=None)


def excerpts(conversations: Sequence[UUID], query: str) -> dict[UUID, str]:
    """The text around the query's first word in each of these conversations, if it occurs in a message."""
    word = next(iter(words(query)), "")
    shown = {}
    for pk, texts in _said(conversations).items():
        if text := next((text for text in texts if word in folded(text)), ""):
            shown[pk] = _around(text, word)
    return shown


def _around(text: str, word: str) -> str:
    at = _place_of(text, word)
    start, end = max(0, at - EXCERPT), at + len(word) + EXCERPT
    piece = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{piece}{'…' if end < len(text) else ''}"


def _place_of(text: str, word: str) -> int:
    """The position of the folded word in the text, whose length folding may change."""
    wanted, passed = folded(text).index(word), 0
    for at, letter in enumerate(text):
        if passed >= wanted:
            return at
        passed += len(folded(letter))
    return 0
