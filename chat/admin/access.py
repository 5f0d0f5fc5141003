"""Who reads what people and models wrote.

Times and structure need the view permission of conversations and streams; texts need `READ_TEXTS` as well, but for
one's own. Texts are titles, system instructions, messages, photos, reasons of feedback, requests, events, and the words
of errors; searching and filtering by them would tell them, too.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

READ_TEXTS = "chat.read_texts"


def may_read(request: HttpRequest) -> bool:
    """Whether texts of other people are shown in answer to this request."""
    return request.user.has_perm(READ_TEXTS)


def shown(request: HttpRequest, found: Any) -> bool:
    """Whether the texts of this conversation or stream are."""
    return bool(may_read(request) or found.user_id == request.user.pk)


def check(request: HttpRequest, found: Any) -> None:
    """PermissionDenied where the texts of this conversation or stream are not shown."""
    if not shown(request, found):
        raise PermissionDenied
