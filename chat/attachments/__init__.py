"""Photos: checked by what they are, decoded under bounds, and kept as nothing but their pixels.

    await store(user, data)              a photo's bytes -> Attachment
    await from_inline(user, mime, data)  the same for a Gemini `inlineData` part
    await read(user, id)                 one's own photo

    formats.py    which format the first bytes are, and the sentence for those that cannot be used
    picture.py    the photo as a browser shows it -> a new JPEG without metadata
    jpeg.py  png.py  webp.py  avif.py
                  what each format says of a picture before its pixels are decoded
    inline.py     bytes in JSON: base64 as protocol buffers take it
    exif.py       how the camera was turned
    colour.py     colour profiles, gamma and code points -> sRGB

What is kept is always a new JPEG: no place, no time, no camera, no embedded thumbnail, and nothing of a file that was
two formats at once. The long side becomes at most 1,600 pixels, which is what models look at anyway.
"""

import asyncio
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Length

from chat.attachments import formats, inline, picture
from chat.limits.fair import FairExecutor
from chat.models import Attachment, User
from chat.protocol.errors import NotFound, ResourceExhausted, TooLarge, Unavailable, UnsupportedMediaType

SECONDS = 10
MIME = "image/jpeg"
SMALL = 64 * 2**20
DECODING = FairExecutor(2, "photo")
DECODING_LARGE = FairExecutor(1, "large-photo")
"""They bound what photos may take of the processor and the memory: two at a time that need up to SMALL bytes, and one
that needs more, so that nobody's ordinary photo waits behind somebody's large ones. Each is shared out fairly between
people, and the guests of one network count as one."""


async def store(user: User, data: bytes) -> Attachment:
    """Keep a photo. TooLarge, UnsupportedMediaType or InvalidArgument say in a sentence what is wrong with it."""
    if len(data) > settings.LIMITS["PHOTO_BYTES"]:
        raise too_many_bytes()
    await check_room(user)
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
    """Keep the photo of an `inlineData` part: base64, as JSON of protocol buffers may have it."""
    if not mime.lower().startswith("image/"):
        raise UnsupportedMediaType(formats.NOT_A_PHOTO)
    if len(data) > settings.LIMITS["PHOTO_BYTES"] * 3 // 2:  # 4/3, and line ends
        raise too_many_bytes()
    return await store(user, inline.decoded(data))


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


def too_many_bytes() -> TooLarge:
    """The refusal of a file that is too large, whatever is in it."""
    return TooLarge(f"The photo has more than {settings.LIMITS['PHOTO_BYTES'] / 2**20:.0f} MB.")
