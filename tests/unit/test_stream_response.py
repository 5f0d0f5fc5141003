"""The headers of an event stream behave as Django's own, which every middleware knows."""

from collections.abc import AsyncIterator

import pytest
from django.http.response import BadHeaderError, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from chat.views.stream_response import EventStreamResponse

GIVEN = {"Content-Type": "text/event-stream", "X-Stream-Id": "1", "Vary": "Accept"}


async def nothing() -> AsyncIterator[bytes]:
    for piece in tuple[bytes]():
        yield piece


def changed(response: HttpResponseBase) -> list[tuple[str, str]]:
    """What the header lines are after all that a middleware may do."""
    response["x-number"] = 5
    response.headers["x-stream-id"] = "2"
    response.headers.setdefault("X-STREAM-ID", "3")
    response.headers.setdefault("Server-Timing", "app;dur=1")
    patch_vary_headers(response, ("origin",))
    response["gone"] = "soon"
    del response["GONE"], response["never-there"]
    assert response.has_header("X-Number")
    assert "x-number" in response.headers
    assert (response.get("VARY"), response.get("nowhere", "else")) == ("Accept, origin", "else")
    response.headers.pop("server-timing", None)
    with pytest.raises(KeyError):
        response.headers["nowhere"]
    return list(response.items())


def test_they_change_as_django_s_do() -> None:
    ours = EventStreamResponse(nothing(), GIVEN)
    assert changed(ours) == changed(HttpResponse(headers=GIVEN))
    assert list(ours.headers) == [name for name, _ in ours.items()]
    assert len(ours.headers) == len(list(ours.items()))


@pytest.mark.parametrize("value", ["a\nSet-Cookie: b", "a\rb"])
def test_a_line_break_is_refused(value: str) -> None:
    with pytest.raises(BadHeaderError):
        EventStreamResponse(nothing(), GIVEN)["X-Name"] = value
