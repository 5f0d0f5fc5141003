"""The headers of an event stream behave as Django's own, which every middleware knows."""

from collections.abc import AsyncIterator

import pytest
from django.http.response import BadHeaderError, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from chat.views.stream_response import EventStreamResponse
from wondercam.handler import start_of

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


@pytest.mark.parametrize("value", [5, True, b"bytes", "caf\u00e9", "\u6771\u4eac", "a\tb", ""])
def test_every_value_is_converted_as_django_does(value: object) -> None:
    ours, django = EventStreamResponse(nothing(), GIVEN), HttpResponse(headers=GIVEN)
    for response in (ours, django):
        response.headers["X-Name"] = value  # type: ignore[assignment]
    assert start_of(ours)["headers"] == start_of(django)["headers"]


@pytest.mark.parametrize(
    ("name", "value"), [("X-Name", "a\nSet-Cookie: b"), ("X-Name", "a\rb"), ("X\nName", "a"), ("X-N\u00e4me", "a")]
)
def test_what_could_be_another_line_is_refused(name: str, value: str) -> None:
    for response in (EventStreamResponse(nothing(), GIVEN), HttpResponse(headers=GIVEN)):
        with pytest.raises((BadHeaderError, UnicodeError)):
            response[name] = value
