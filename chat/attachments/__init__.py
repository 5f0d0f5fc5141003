"""Photos and sounds: checked by what they are, read under bounds, and kept as nothing but what is seen or heard.

    await store(user, data, what)        a photo's or a sound's bytes -> Attachment
    await from_inline(user, mime, data)  the same for a Gemini `inlineData` part
    await read(user, id)                 one's own photo or sound
    name_of(id, mime)                    where it stands in an archive

    formats.py    which format the first bytes are, and the sentence for those that cannot be used
    picture.py    the photo as a browser shows it -> a new JPEG without metadata
    jpeg.py  png.py  webp.py  avif.py
                  what each format says of a picture before its pixels are decoded
    inline.py     bytes in JSON: base64 as protocol buffers take it
    exif.py       how the camera was turned
    colour.py     colour profiles, gamma and code points -> sRGB
    sound.py      a sound's format and length, and its file without tags
    sound_track.py
                  what is read of a sound
    wav.py  mpeg.py  flac.py  ogg.py
                  the files of sounds, format by format

What is kept of a photo is always a new JPEG: no place, no time, no camera, no embedded thumbnail, and nothing of a
file that was two formats at once. The long side becomes at most 1,600 pixels, which is what models look at anyway.
"""

import asyncio
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Length

from chat.attachments import formats, inline, picture, sound
from chat.limits.fair import FairExecutor
from chat.models import Attachment, User
from chat.protocol.errors import NotFound, ResourceExhausted, TooLarge, Unavailable, UnsupportedMediaType

SECONDS = 10
MIME = "image/jpeg"
SPACE_TAKEN = "Your photos and sounds take all the space you have: delete a conversation."
SMALL = 64 * 2**20
DECODING = FairExecutor(2, "photo")
DECODING_LARGE = FairExecutor(1, "large-photo")
"""They bound what photos may take of the processor and the memory: two at a time that need up to SMALL bytes, and one
that needs more, so that nobody's ordinary photo waits behind somebody's large ones. Each is shared out fairly between
people, and the guests of one network count as one."""


async def store(user: User, data: bytes, what: str = "photo") -> Attachment:
    """Keep a photo or a sound, whichever it is by its first bytes. TooLarge, UnsupportedMediaType or InvalidArgument
    say in a sentence what is wrong with it, as with `what` it was to be."""
    is_sound = what == "sound" or sound.kind_of(data) is not None
    return await (store_sound if is_sound else store_photo)(user, data)


async def store_sound(user: User, data: bytes) -> Attachment:
    """Keep a sound. Raises as `store`."""
    if len(data) > settings.LIMITS["SOUND_BYTES"]:
        raise too_many_bytes("sound")
    await check_space(user)
    kept = await asyncio.to_thread(sound.cleaned, data, settings.LIMITS["SOUND_SECONDS"])
    facts = {"mime_type": kept.mime_type, "seconds": kept.seconds, "data": kept.data}
    return await Attachment.objects.acreate(user=user, width=0, height=0, **facts)


async def store_photo(user: User, data: bytes) -> Attachment:
    """Keep a photo. Raises as `store`."""
    if len(data) > settings.LIMITS["PHOTO_BYTES"]:
        raise too_many_bytes("photo")
    await check_space(user)
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
    """Keep the photo or the sound of an `inlineData` part: base64, as JSON of protocol buffers may have it."""
    kind, _, _ = mime.lower().partition("/")
    if kind not in ("image", "audio"):
        raise UnsupportedMediaType(formats.NOT_A_PHOTO)
    what, keep = ("photo", store_photo) if kind == "image" else ("sound", store_sound)
    if len(data) > most_bytes(what) * 3 // 2:  # 4/3, and line ends
        raise too_many_bytes(what)
    return await keep(user, inline.decoded(data))


async def read(user: User, attachment_id: Any) -> Attachment:
    """One's own photo or sound; NotFound for an unknown and for another user's."""
    found = await Attachment.objects.for_user(user.pk).filter(pk=attachment_id).afirst()
    if not isinstance(found, Attachment):
        raise NotFound("There is no such photo.")
    return found


async def check_space(user: User) -> None:
    """Refuse what a user sends who already keeps as much as one may."""
    kept = await Attachment.objects.for_user(user.pk).aaggregate(bytes=Sum(Length("data")))
    if (kept["bytes"] or 0) >= settings.LIMITS["PHOTOS_USER_BYTES"]:
        raise ResourceExhausted(SPACE_TAKEN, retry_after=3600)


def most_bytes(what: str) -> int:
    """The largest file of a `photo` or a `sound`."""
    return int(settings.LIMITS[f"{what.upper()}_BYTES"])


def too_many_bytes(what: str) -> TooLarge:
    """The refusal of a file that is too large, whatever is in it."""
    most = most_bytes(what) / 2**20
    return TooLarge(
        f"The sound has more than {most:.0f} MB." if what == "sound" else f"The photo has more than {most:.0f} MB."
    )


def name_of(pk: Any, mime: str) -> str:
    """The name of a photo's or a sound's file in an archive."""
    return f"sounds/{pk}.{sound.SUFFIXES[mime]}" if mime in sound.SUFFIXES else f"photos/{pk}.jpg"


def file_name(mime: str) -> str:
    """What a photo's or a sound's file is called where it stands alone."""
    return f"sound.{sound.SUFFIXES[mime]}" if mime in sound.SUFFIXES else "photo.jpg"
