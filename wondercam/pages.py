"""Subclasses of Django's and ServeStatic's middlewares that pass requests of the API on without processing them.

The originals are synchronous: under ASGI each would run in a thread, and the API needs none of them. They are in
MIDDLEWARE under these names, so that other entries, such as an operator's, still see every request. Django's deployment
checks only know the original names: `wondercam.checks` has a replacement.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import MissingFileError, StaticFile

from wondercam.security import ADMIN, is_direct
from wondercam.staticfiles import CompressedCopies

OF_THE_FILE = {"Content-Length", "ETag", "Last-Modified", "Vary"}
"""Headers that ServeStatic sets from the file itself."""


class ForPages:
    """A mixin before a middleware class, which then only processes requests of pages."""

    get_response: Callable[[HttpRequest], Any]

    def __call__(self, request: HttpRequest) -> Any:
        if is_direct(request.path_info):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class StaticFiles(ForPages, ServeStaticMiddleware):  # type: ignore[misc]
    """Serves static files. With DEBUG a missing file is the site's own 404, not ServeStatic's error with the paths, and
    source files are compressed, as collected ones are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.copies = CompressedCopies()
        super().__init__(*args, **kwargs)

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        """Return the file, with a gzip copy of a source file. Files found at startup are looked up again per
        request."""
        found: StaticFile = super().get_static_file(path, url, stat_cache)
        copy = self.copies.of(path) if self.autorefresh and stat_cache is None else None
        if copy is None:
            return found
        _, headers = found.get_path_and_headers({})
        kept = [(name, value) for name, value in headers if name not in OF_THE_FILE]
        return StaticFile(path, kept, encodings={"gzip": copy})

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_direct(request.path_info) else self.file_or_page(request)

    async def file_or_page(self, request: HttpRequest) -> HttpResponseBase:
        try:
            found: HttpResponseBase = await ServeStaticMiddleware.__call__(self, request)
        except MissingFileError:
            found = await self.get_response(request)
        return found


class Https(ForPages, SecurityMiddleware):
    pass


class Session(ForPages, SessionMiddleware):
    pass


class Language(ForPages, LocaleMiddleware):
    """Activates the user's language for a request: the selected one, or the browser's. The admin is in English."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(ADMIN):
            return self.get_response(request)
        return super().__call__(request) if self.async_mode else self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(translation.get_language_from_request(request)):
            return self.process_response(request, self.get_response(request))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """Do the same as `answer`, on the event loop: only the first use of a catalogue reads a file."""
        with translation.override(translation.get_language_from_request(request)):
            return self.process_response(request, await self.get_response(request))


class Common(ForPages, CommonMiddleware):
    pass


class Csrf(ForPages, CsrfViewMiddleware):
    async def process_view(self, request: HttpRequest, *view: Any) -> Any:  # type: ignore[override]
        """Call Django's method in a thread for pages only; Django would do so for every request."""
        return None if is_direct(request.path_info) else await sync_to_async(super().process_view)(request, *view)


class Authentication(ForPages, AuthenticationMiddleware):
    pass


class Messages(ForPages, MessageMiddleware):
    pass


class FrameOptions(ForPages, XFrameOptionsMiddleware):
    pass
