"""Uploaded photos and sounds: identified by content, decoded within limits, and stored without metadata.

    await store(user, data, what)        the bytes of a photo or a sound -> Attachment
    await from_inline(user, mime, data)  the same for a Gemini `inlineData` part
    await read(user, id)                 a user's own photo or sound
    name_of(id, mime)                    its path in an archive

    formats.py    the format by the first bytes, and the errors for unsupported ones
    picture.py    a photo of any format -> a new JPEG without metadata
    jpeg.py  png.py  webp.py  avif.py
                  the headers of each format, parsed before the pixels are decoded
    inline.py     bytes in JSON: base64 as protocol buffers accept it
    exif.py       the orientation
    colour.py     colour profiles, gamma and code points -> sRGB
    sound.py      a sound's format and length, and its file without tags
    sound_track.py
                  the result of the parsers of sounds, and their exceptions
    wav.py  mpeg.py  flac.py  ogg.py
                  the parsers, one per format

A photo is always stored as a new JPEG: without location, time, camera and thumbnail, and without the rest of a file
that was valid in two formats. Its longer side is at most 1,600 pixels, since models do not use more.
"""

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Length

from chat.attachments import formats, inline, picture, sound
from chat.limits.fair import FairExecutor
from chat.models import Attachment, User
from chat.protocol.errors import (
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

SECONDS = 10
MIME = "image/jpeg"
SPACE_TAKEN = "Your photos and sounds take all the space you have: delete a conversation."
SMALL = 64 * 2**20
DECODING = FairExecutor(2, "photo")
DECODING_LARGE = FairExecutor(1, "large-photo")
"""These limit the CPU and memory for photos: two at a time of up to SMALL bytes, and one larger, so that ordinary
photos do not wait for large ones. Both are fair between users; the guests of one network count as one user."""


async def store(user: User, data: bytes, what: str = "photo") -> Attachment:
    """Store a photo or a sound, by its first bytes. `what` ("photo" or "sound") is what the client expects it to be; it
    decides on the error for other files.

    Raises TooLarge, UnsupportedMediaType, InvalidArgument for damaged data, ResourceExhausted if the user's space is
    used, and Unavailable if a photo is not decoded within SECONDS.
    """
    is_sound = what == "sound" or sound.kind_of(data) is not None
    return await (store_sound if is_sound else store_photo)(user, data)


async def store_sound(user: User, data: bytes) -> Attachment:
    """Store a sound. Raises what `store` does."""
    if len(data) > settings.LIMITS["SOUND_BYTES"]:
        raise too_many_bytes("sound")
    await sync_to_async(check_space)(user.pk)
    kept = await asyncio.to_thread(sound.cleaned, data, settings.LIMITS["SOUND_SECONDS"])
    facts = {"mime_type": kept.mime_type, "seconds": kept.seconds, "data": kept.data}
    return await Attachment.objects.acreate(user=user, width=0, height=0, **facts)


async def store_photo(user: User, data: bytes) -> Attachment:
    """Store a photo. Raises what `store` does."""
    if len(data) > settings.LIMITS["PHOTO_BYTES"]:
        raise too_many_bytes("photo")
    await sync_to_async(check_space)(user.pk)
    bounds = picture.Bounds(settings.LIMITS["PHOTO_PIXELS"], settings.LIMITS["PHOTO_MEMORY"])
    try:
        async with asyncio.timeout(SECONDS):
            sender = user.network or str(user.pk)
            source = await DECODING.run(sender, picture.source_of, data, bounds)
            executor = DECODING if source.memory <= SMALL else DECODING_LARGE
            pixels, width, height = await executor.run(sender, picture.reencode, source)
    except TimeoutError:
        raise Unavailable("The photo could not be read in time: try again soon.", retry_after=5) from None
    return await Attachment.objects.acreate(user=user, mime_type=MIME, width=width, height=height, data=pixels)


async def from_inline(user: User, mime: str, data: str) -> Attachment:
    """Store the photo or the sound of an `inlineData` part, in base64. Raises what `store` does."""
    kind, _, _ = mime.lower().partition("/")
    if kind not in ("image", "audio"):
        raise UnsupportedMediaType(formats.NOT_A_PHOTO)
    what, keep = ("photo", store_photo) if kind == "image" else ("sound", store_sound)
    if len(data) > most_bytes(what) * 3 // 2:  # 4/3, and line ends
        raise too_many_bytes(what)
    return await keep(user, inline.decoded(data))


async def read(user: User, attachment_id: Any) -> Attachment:
    """Return a user's own photo or sound. Raises NotFound for unknown ones and for those of other users."""
    found = await Attachment.objects.for_user(user.pk).filter(pk=attachment_id).afirst()
    if not isinstance(found, Attachment):
        raise NotFound("There is no such photo.")
    return found


async def delete_unsent(user: User, attachment_id: Any) -> None:
    """Delete a user's own photo or sound that no message has. NotFound for unknown ones and for those of other users,
    InvalidArgument for one that a message has."""
    unsent = Attachment.objects.for_user(user.pk).filter(pk=attachment_id, conversation=None)
    deleted, _ = await unsent.adelete()
    if not deleted:
        await read(user, attachment_id)
        raise InvalidArgument("It belongs to a message, and is deleted with its conversation.")


def check_space(user_id: int) -> None:
    """Raise ResourceExhausted if the user's attachments have reached the limit."""
    kept = Attachment.objects.for_user(user_id).aggregate(bytes=Sum(Length("data")))
    if (kept["bytes"] or 0) >= settings.LIMITS["PHOTOS_USER_BYTES"]:
        raise ResourceExhausted(SPACE_TAKEN, retry_after=3600)


def most_bytes(what: str) -> int:
    """Return the most bytes of a `photo` or a `sound`."""
    return int(settings.LIMITS[f"{what.upper()}_BYTES"])


def too_many_bytes(what: str) -> TooLarge:
    """Return the error for a file that is too large."""
    most = most_bytes(what) / 2**20
    return TooLarge(
        f"The sound has more than {most:.0f} MB." if what == "sound" else f"The photo has more than {most:.0f} MB."
    )


def name_of(pk: Any, mime: str) -> str:
    """Return the path of a photo or a sound in an archive."""
    return f"sounds/{pk}.{sound.SUFFIXES[mime]}" if mime in sound.SUFFIXES else f"photos/{pk}.jpg"


def file_name(mime: str) -> str:
    """Return the file name of a single photo or sound."""
    return f"sound.{sound.SUFFIXES[mime]}" if mime in sound.SUFFIXES else "photo.jpg"
