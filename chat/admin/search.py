"""Conditions of the review's search fields. They read each table once, without joining all rows."""

import json
import re
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from chat.models import Conversation, Message, User

LOOKED_THROUGH = 50_000
"""The newest messages, which are searched without an index."""

FOUND = 2_000
"""The newest messages found, whose conversations are listed: forty pages. A word that every message contains would
otherwise name each conversation in the next statement."""

INDEX = "chat_message_said"
TRIGRAM = re.compile(r"[^\W_]{3}")
"""What the index can look for."""


def by_words(term: str, *fields: str, conversation: str = "") -> Q:
    """Match rows with each word of `term` in the user's name or in one of these fields.

    `conversation`: a field of the row's conversation to search as well; "" for none.
    """
    return reduce(and_, (_by_word(word, fields, conversation) for word in term.split()))


def _by_word(word: str, fields: tuple[str, ...], conversation: str) -> Q:
    found = [Q(**{f"{field}__icontains": word}) for field in fields]
    found.append(Q(user__in=User.objects.filter(username__icontains=word).values("pk")))
    if conversation:
        named = Conversation.objects.filter(**{f"{conversation}__icontains": word})
        found.append(Q(conversation__in=named.order_by().values("pk")))
    return reduce(or_, found)


def said(term: str) -> QuerySet[Any]:
    """Return the messages that contain `term`: with an index all of them, else those of the newest `LOOKED_THROUGH`."""
    messages = Message.objects.order_by("-pk").annotate(said=Cast("parts", TextField()))
    if not (TRIGRAM.search(term) and has_index()):
        newest = Message.objects.order_by("-pk").values_list("pk", flat=True)
        oldest = newest[LOOKED_THROUGH : LOOKED_THROUGH + 1].first()
        messages = messages if oldest is None else messages.filter(pk__gt=oldest)
    # A database may store characters beyond ASCII as JSON escapes. Each form is a pass through all texts.
    forms = {term, json.dumps(term)[1:-1]}
    return messages.filter(reduce(or_, (Q(said__icontains=form) for form in forms)))


def has_index() -> bool:
    """Whether this database has an index of messages by what they say (migration 0029), and it is complete."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid", [INDEX])
        return cursor.fetchone() is not None
