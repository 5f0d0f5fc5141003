"""`SiteRequest`: its headers equal Django's."""

from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest

from wondercam.request import SiteRequest

SENT = [
    (b"host", b"chat.example"),
    (b"content-type", b"application/json"),
    (b"content-length", b"2"),
    (b"authorization", b"Bearer a.b.c"),
    (b"x-forwarded-for", b"1.2.3.4"),
    (b"x-forwarded-for", b"5.6.7.8"),
    (b"last_event_id", b"not a header of ours"),
]
SCOPE: dict[str, Any] = {"type": "http", "method": "POST", "path": "/v2/echat", "headers": SENT}


@pytest.mark.parametrize(
    "name",
    ["Host", "content-type", "CONTENT-LENGTH", "Authorization", "X-Forwarded-For", "X_Forwarded_For", "Last-Event-ID"],
)
def test_a_header_is_what_django_says_it_is(name: str):
    ours, theirs = SiteRequest(SCOPE, BytesIO()).headers, ASGIRequest(SCOPE, BytesIO()).headers

    assert ours.get(name) == theirs.get(name)
    assert ours.get(name, "none") == theirs.get(name, "none")
    assert (name in ours) == (name in theirs)


def test_what_is_not_there_is_a_key_error_or_the_default():
    headers = SiteRequest(SCOPE, BytesIO()).headers

    assert headers.get("Cookie") is None
    assert headers.get("Cookie", "none") == "none"
    with pytest.raises(KeyError):
        headers["Cookie"]


def test_all_of_them_are_django_s():
    ours, theirs = SiteRequest(SCOPE, BytesIO()).headers, ASGIRequest(SCOPE, BytesIO()).headers

    assert dict(ours) == dict(theirs)
    assert len(ours) == len(theirs)
    assert ours == theirs
