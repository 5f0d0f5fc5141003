"""`EventStreamResponse`: the response class of event streams."""

from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import ResponseHeaders


class StreamHeaders(MutableMapping[str, str]):
    """The headers of an event stream, by names without case. Django's class takes three hundred calls for the seventeen
    of a question: it converts each name and value twice, and looks each up again when it is sent."""

    __slots__ = ("_lines",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._lines = {name.lower(): (name, value) for name, value in headers.items()}

    def __getitem__(self, name: str) -> str:
        return self._lines[name.lower()][1]

    def __setitem__(self, name: str, value: Any) -> None:
        """As Django's, which converts or refuses what is not plain text."""
        if not (isinstance(value, str) and (line := name + value).isascii() and line.isprintable()):
            value = ResponseHeaders({name: value})[name]
        self._lines[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        """As Django's: nothing is raised where there is none."""
        self._lines.pop(name.lower(), None)

    def __contains__(self, name: object) -> bool:
        return str(name).lower() in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._lines.values()])

    def __len__(self) -> int:
        return len(self._lines)

    def items(self) -> ValuesView[tuple[str, str]]:  # type: ignore[override]
        """Each name, as it was set, with its value."""
        return self._lines.values()


class EventStreamResponse(StreamingHttpResponse):
    """A response whose pieces are sent as its body yields them: Django's own copies each, a `Pause` into mere bytes."""

    is_async = True
    pieces: AsyncIterator[bytes]
    headers: StreamHeaders  # type: ignore[assignment]

    def __init__(self, content: AsyncIterator[bytes], headers: Mapping[str, str]) -> None:
        super().__init__(content)
        self.headers = StreamHeaders(headers)

    @property
    def streaming_content(self) -> AsyncIterator[bytes]:
        return self.pieces

    @streaming_content.setter
    def streaming_content(self, pieces: AsyncIterator[bytes]) -> None:
        self.pieces = pieces
