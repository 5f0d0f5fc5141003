"""Photos in and out."""

import asyncio
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from chat import attachments, limits
from chat.accounts import tokens
from chat.protocol.errors import InvalidArgument, TooLarge, UnsupportedMediaType
from chat.views.api import api, declared_length, json_response

FORM_BYTES = 16 * 1024  # what a form adds to its one file


def form_bytes() -> int:
    """The largest form with a photo in it."""
    return int(settings.LIMITS["PHOTO_BYTES"]) + FORM_BYTES


@api("POST", body_bytes=form_bytes)
async def create(request: HttpRequest) -> HttpResponse:
    """One photo as multipart field `photo` (or `file`) → 201 `{"id", "width", "height"}`."""
    user = await tokens.authenticate(request)
    await limits.spend("upload", user=user.pk)
    kept = await attachments.store(user, await asyncio.to_thread(uploaded, request))
    return json_response({"id": kept.pk, "width": kept.width, "height": kept.height}, 201)


@api("GET", "HEAD")
async def show(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """One's own photo. Whatever it holds, a browser runs nothing of it."""
    photo = await attachments.read(await tokens.authenticate(request), attachment_id)
    return HttpResponse(
        bytes(photo.data),
        content_type=photo.mime_type,
        headers={
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Disposition": 'inline; filename="photo.jpg"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def uploaded(request: HttpRequest) -> bytes:
    """The one file of the form, whose name is not looked at. For a thread: a large file goes through the disk."""
    if request.content_type != "multipart/form-data":
        raise UnsupportedMediaType("Send the photo as `multipart/form-data`, in the field `photo`.")
    if declared_length(request) > form_bytes():
        raise TooLarge(f"The photo has more than {settings.LIMITS['PHOTO_BYTES'] / 2**20:.0f} MB.")
    try:
        files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    except MultiPartParserError:
        raise InvalidArgument("The form cannot be read.") from None
    if len(files) != 1 or not {"photo", "file"} & set(request.FILES):
        raise InvalidArgument("Send exactly one photo, in the field `photo`.")
    data: bytes = files[0].read()
    return data
