"""Photos: checked by what they are, decoded under a budget, and kept as nothing but their pixels.

    await store(user, data)              a photo's bytes -> Attachment
    await from_inline(user, mime, data)  the same for a Gemini `inlineData` part

What is kept is always a new JPEG without any metadata: no place, no time, no camera, no embedded thumbnail, and
nothing of a file that was two formats at once. Its first bytes say what an upload is, not its name or its type.
The long side becomes at most 1,600 pixels, which is what models look at anyway.
"""

import asyncio
import base64
import binascii
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Length
from PIL import Image, ImageOps, UnidentifiedImageError

from chat.models import Attachment, User
from chat.protocol.errors import (
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

LONG_SIDE = 1600
QUALITY = 88
SECONDS = 5
MIME = "image/jpeg"
DECODING = ThreadPoolExecutor(2, "photo")  # bounds what photos may take of the processor and the memory

BROKEN = "The photo cannot be read: its data is damaged."
NOT_A_PHOTO = "This is no photo that can be used: send JPEG, PNG or WebP."
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WEBP"),
)
REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyphei", "HEIC photos cannot be used here: save it as JPEG."),
    (4, b"ftyphev", "HEIC photos cannot be used here: save it as JPEG."),
    (4, b"ftypmif1", "HEIC photos cannot be used here: save it as JPEG."),
    (4, b"ftypavi", "AVIF photos cannot be used here: save it as JPEG."),
    (0, b"GIF8", "GIF pictures cannot be used here: save it as PNG or JPEG."),
    (0, b"%PDF", "A PDF is no photo: send JPEG, PNG or WebP."),
)
DAMAGE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError)


async def store(user: User, data: bytes) -> Attachment:
    """Keep a photo. TooLarge, UnsupportedMediaType or InvalidArgument say in a sentence what is wrong with it."""
    if len(data) > (most := settings.LIMITS["PHOTO_BYTES"]):
        raise TooLarge(f"The photo has more than {most / 2**20:.0f} MB.")
    await check_room(user)
    work = asyncio.get_running_loop().run_in_executor(DECODING, reencode, data, settings.LIMITS["PHOTO_PIXELS"])
    try:
        pixels, width, height = await asyncio.wait_for(work, SECONDS)
    except TimeoutError:
        raise Unavailable("The photo could not be read in time: try again soon.", retry_after=5) from None
    return await Attachment.objects.acreate(user=user, mime_type=MIME, width=width, height=height, data=pixels)


async def from_inline(user: User, mime: str, data: str) -> Attachment:
    """Keep the photo of an `inlineData` part: base64, as Gemini has it."""
    if not mime.startswith("image/"):
        raise UnsupportedMediaType(NOT_A_PHOTO)
    if len(data) > settings.LIMITS["PHOTO_BYTES"] * 4 // 3 + 4:
        raise TooLarge(f"The photo has more than {settings.LIMITS['PHOTO_BYTES'] / 2**20:.0f} MB.")
    try:
        raw = base64.b64decode(data.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidArgument("`inlineData.data` is not base64.") from None
    return await store(user, raw)


async def read(user: User, attachment_id: Any) -> Attachment:
    """One's own photo; NotFound for an unknown and for another user's."""
    found = await Attachment.objects.for_user(user.pk).filter(pk=attachment_id).afirst()
    if not isinstance(found, Attachment):
        raise NotFound("There is no such photo.")
    return found


async def check_room(user: User) -> None:
    """Refuse a photo of a user who already keeps as much as one may."""
    kept = await Attachment.objects.for_user(user.pk).aaggregate(bytes=Sum(Length("data")))
    if (kept["bytes"] or 0) >= settings.LIMITS["PHOTOS_USER_BYTES"]:
        raise ResourceExhausted("Your photos take all the room you have: delete a conversation.", retry_after=3600)


def kind_of(data: bytes) -> str:
    """Pillow's name of the format by the first bytes; UnsupportedMediaType with a sentence for any other."""
    for at, signature, name in SIGNATURES:
        if data.startswith(signature, at):
            return name
    for at, signature, sentence in REFUSED:
        if data.startswith(signature, at):
            raise UnsupportedMediaType(sentence)
    if b"<svg" in data[:1024].lower():
        raise UnsupportedMediaType("An SVG is a program, not a photo: send JPEG, PNG or WebP.")
    raise UnsupportedMediaType(NOT_A_PHOTO)


def reencode(data: bytes, most_pixels: int) -> tuple[bytes, int, int]:
    """(JPEG, width, height) of a photo as it is meant to be seen. For a thread; looks at the size before it decodes."""
    kind = kind_of(data)
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as photo:
            if photo.width * photo.height > most_pixels:
                raise TooLarge(f"The photo has more than {most_pixels / 1e6:.0f} million pixels.")
            if kind != "JPEG" and getattr(photo, "n_frames", 1) != 1:
                raise UnsupportedMediaType("Moving pictures cannot be used: send a single photo.")
            return encoded(photo)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge(f"The photo has more than {most_pixels / 1e6:.0f} million pixels.") from None
    except DAMAGE:
        raise InvalidArgument(BROKEN) from None


def encoded(photo: Image.Image) -> tuple[bytes, int, int]:
    """(JPEG, width, height): turned upright, made smaller, on white where it was transparent, without metadata.

    A JPEG of several pictures (the way phones keep depth and brightness) gives its first one.
    """
    photo.draft("RGB", (LONG_SIDE, LONG_SIDE))
    photo.thumbnail((LONG_SIDE, LONG_SIDE))
    upright = ImageOps.exif_transpose(photo).convert("RGBA" if photo.has_transparency_data else "RGB")
    canvas = Image.new("RGB", upright.size, "white")
    canvas.paste(upright, mask=upright.getchannel("A") if upright.mode == "RGBA" else None)
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue(), canvas.width, canvas.height
