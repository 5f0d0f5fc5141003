"""`/v2/attachments`: upload, download and deletion of photos and sounds."""

import asyncio
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from chat import attachments, limits
from chat.accounts import tokens
from chat.models import Attachment
from chat.protocol.errors import InvalidArgument, UnsupportedMediaType
from chat.views.api import api, declared_length, json_response

FORM_BYTES = 16 * 1024  # what a form adds to its one file
FIELDS = ("photo", "sound")


def form_bytes() -> int:
    """The largest form with a photo or a sound in it."""
    return max(map(attachments.most_bytes, FIELDS)) + FORM_BYTES


@api("POST", body_bytes=form_bytes)
async def create(request: HttpRequest) -> HttpResponse:
    """Store one photo or sound, in the multipart field `photo`, `sound` or `file`: 201 `{"id", "width", "height"}` or
    `{"id", "mimeType", "seconds"}`."""
    user = await tokens.authenticate(request)
    await limits.spend("upload", user=user.pk)
    data = await asyncio.to_thread(uploaded, request)
    kept = await attachments.store(user, data, "sound" if "sound" in request.FILES else "photo")
    return json_response(kept.as_json(), 201)


@api("GET", "DELETE")
async def one(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """One of the user's photos or sounds; or deletes one that no message has."""
    user = await tokens.authenticate(request)
    if request.method == "DELETE":
        await attachments.delete_unsent(user, attachment_id)
        return HttpResponse(status=204)
    return shown(await attachments.read(user, attachment_id))


def shown(found: Attachment) -> HttpResponse:
    """The photo or sound, with headers that keep a browser from executing it."""
    return HttpResponse(
        bytes(found.data),
        content_type=found.mime_type,
        headers={
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Disposition": f'inline; filename="{attachments.file_name(found.mime_type)}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def uploaded(request: HttpRequest) -> bytes:
    """The form's one file; its name is ignored. It blocks: large files are spooled to disk."""
    if request.content_type != "multipart/form-data":
        raise UnsupportedMediaType("Send the photo as `multipart/form-data`, in the field `photo`.")
    if declared_length(request) > form_bytes():
        raise attachments.too_many_bytes(max(FIELDS, key=attachments.most_bytes))
    try:
        files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    except MultiPartParserError:
        raise InvalidArgument("The form cannot be read.") from None
    if len(files) != 1 or not {*FIELDS, "file"} & set(request.FILES):
        raise InvalidArgument("Send exactly one photo, in the field `photo`, or one sound, in the field `sound`.")
    data: bytes = files[0].read()
    return data
