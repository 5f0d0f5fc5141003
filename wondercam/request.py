"""A request of Django's whose headers are looked up where they are."""

from functools import cached_property, lru_cache
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http.request import HttpHeaders


class Headers(HttpHeaders):
    """The headers in `META`. Django's own copies all of them, twice, before it can say what one of them is."""

    def __init__(self, meta: dict[str, Any]) -> None:
        self._meta = meta

    def __getitem__(self, name: str) -> str:
        value: str = self._meta[in_meta(name)]
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The header's value: one look."""
        return self._meta.get(in_meta(name), default)

    @cached_property
    def _store(self) -> Any:  # type: ignore[override]
        """What Django's mapping has, for whoever wants all of them."""
        return HttpHeaders(self._meta)._store


@lru_cache(maxsize=256)
def in_meta(name: str) -> str:
    """A header's name in `META`: asked about a dozen names that the code knows."""
    return HttpHeaders.to_wsgi_name(name)


class Request(ASGIRequest):
    """What the site's handler makes of an ASGI scope."""

    @cached_property
    def headers(self) -> Headers:
        return Headers(self.META)
