"""The middlewares of Django and ServeStatic, for pages only: a request of the API goes past each in one call.

They are sync at heart: under ASGI each costs a hop into a thread, and the API needs none of them. They stand in
MIDDLEWARE under these names, so that everything else in that list, such as what an operator adds, sees every request.
Django's deployment checks look for the names of its own: `wondercam.checks` asks what they would have asked.
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
    """Put before a middleware's class: its requests are those of the pages."""

    get_response: Callable[[HttpRequest], Any]

    def __call__(self, request: HttpRequest) -> Any:
        if is_direct(request.path_info):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class StaticFiles(ForPages, ServeStaticMiddleware):  # type: ignore[misc]
    """With DEBUG a file that is missing is a 404 of ours, too, not an error that lists the folders; and the files that
    are served from their sources are compressed as the collected ones are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.copies = CompressedCopies()
        super().__init__(*args, **kwargs)

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        """As ServeStatic's. What it finds while it starts is looked up again at each request."""
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
    """The reader's language, for the time of the request: chosen, else the browser's. The review stays in English."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(ADMIN):
            return self.get_response(request)
        return super().__call__(request) if self.async_mode else self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(translation.get_language_from_request(request)):
            return self.process_response(request, self.get_response(request))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """As `answer`. Nothing of it is worth a hop into a thread: a catalogue is read from its file once."""
        with translation.override(translation.get_language_from_request(request)):
            return self.process_response(request, await self.get_response(request))


class Common(ForPages, CommonMiddleware):
    pass


class Csrf(ForPages, CsrfViewMiddleware):
    async def process_view(self, request: HttpRequest, *view: Any) -> Any:  # type: ignore[override]
        """As Django's, in a thread: its own is called in one for every request."""
        return None if is_direct(request.path_info) else await sync_to_async(super().process_view)(request, *view)


class Authentication(ForPages, AuthenticationMiddleware):
    pass


class Messages(ForPages, MessageMiddleware):
    pass


class FrameOptions(ForPages, XFrameOptionsMiddleware):
    pass
