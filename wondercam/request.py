"""`SiteRequest`: Django's request, with headers that are read from `META` without copying them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http.request import HttpHeaders


class Headers(Mapping[str, str]):
    """The headers in `META`. Django's own class copies all of them twice before it can return one."""

    def __init__(self, meta: dict[str, Any]) -> None:
        self.meta = meta

    def __getitem__(self, name: str) -> str:
        value: str = self.meta[in_meta(name)]
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header, with one look-up."""
        return self.meta.get(in_meta(name), default)

    def __iter__(self) -> Iterator[str]:
        return iter(HttpHeaders(self.meta))

    def __len__(self) -> int:
        return len(HttpHeaders(self.meta))


@lru_cache(maxsize=256)
def in_meta(name: str) -> str:
    """A header's name in `META`; cached for the dozen names that the code uses."""
    return HttpHeaders.to_wsgi_name(name)


class SiteRequest(ASGIRequest):
    """The request class of `wondercam.handler.Handler`."""

    @cached_property
    def headers(self) -> Headers:  # type: ignore[override]
        return Headers(self.META)

    def let_go(self, response: Any) -> None:
        """Free the body and the headers, since an event stream may be open for hours after it has begun; the response
        need not close this request any more, and so does not hold it."""
        self.close()
        self.META.clear()
        self.__dict__.pop("headers", None)
        with suppress(AttributeError, ValueError):
            response._resource_closers.remove(self.close)
