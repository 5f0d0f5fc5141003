"""Conditions of the review's search fields. They read each table once, without joining all rows."""

import json
import re
from functools import reduce
from operator import and_, or_
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from chat import message_index
from chat.models import Conversation, Message, User

LOOKED_THROUGH = 50_000
"""The newest messages, which are searched without an index."""

FOUND = 2_000
"""The newest messages found, whose conversations are listed: forty pages. A word that every message contains would
otherwise name each conversation in the next statement."""

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


def conversations_with(term: str) -> list[UUID]:
    """Return the conversations of the newest `FOUND` messages that contain `term`: with an index of all messages but
    those that it does not have yet, of which the newest `LOOKED_THROUGH` are searched, as all are without an index."""
    if TRIGRAM.search(term) and message_index.exists():
        whole, rest = indexed(term), among_newest(term, Message.objects.filter(is_indexed=False))
        found = sorted([*_newest(whole), *_newest(rest)], reverse=True)[:FOUND]
    else:
        found = _newest(among_newest(term, Message.objects.all()))
    return [conversation for _, conversation in found]


def indexed(term: str) -> QuerySet[Message]:
    """Return the messages of the index that contain `term`."""
    return _containing(term, Message.objects.filter(is_indexed=True))


def among_newest(term: str, messages: QuerySet[Message]) -> QuerySet[Message]:
    """Return those of the newest `LOOKED_THROUGH` of these messages that contain `term`."""
    newest = messages.order_by("-pk").values_list("pk", flat=True)
    oldest = newest[LOOKED_THROUGH : LOOKED_THROUGH + 1].first()
    return _containing(term, messages if oldest is None else messages.filter(pk__gt=oldest))


def _containing(term: str, messages: QuerySet[Message]) -> QuerySet[Message]:
    # A database may store characters beyond ASCII as JSON escapes. Each form is a pass through all texts.
    forms = {term, json.dumps(term)[1:-1]}
    texts = messages.annotate(said=Cast("parts", TextField()))
    return texts.filter(reduce(or_, (Q(said__icontains=form) for form in forms)))


def _newest(messages: QuerySet[Message]) -> list[tuple[UUID, UUID]]:
    return list(messages.order_by("-pk").values_list("pk", "conversation_id")[:FOUND])
