"""A question's contents: checked against its model, photos and sounds in it stored, and loaded for the model."""

import base64
import dataclasses

from chat import limits
from chat.attachments import from_inline
from chat.log.sql import in_thread
from chat.models import Attachment, User
from chat.protocol.errors import TooLarge
from chat.protocol.prompt import Content, Model, Part, Prompt, attachments_of, is_sound, with_attachments
from chat.protocol.request import text_bytes
from chat.providers.catalogue import Catalogue


def checked(contents: list[Content], model: Model, catalogue: Catalogue) -> list[Content]:
    """The contents, unchanged. TooLarge if their text is too long, InvalidArgument for photos and sounds that the model
    cannot take."""
    if text_bytes(contents) > (most := limits.of("PROMPT_BYTES")):
        raise TooLarge(f"The message is longer than {most:,} bytes.")
    for content in contents:
        for part in content["parts"]:
            catalogue.senses.check(part, model)
    return contents


async def kept(user: User, contents: list[Content], model: Model, catalogue: Catalogue) -> list[Content]:
    """The contents, checked for the model, with photos and sounds of the body stored and named by id.

    Raises the errors of `checked`, TooLarge for more photos and sounds than a message may have, and ResourceExhausted
    for more than the user may still send. Nothing is stored then, except a sound that turns out, once it is decoded, to
    be of a type that the model does not take.
    """
    await _name_sounds(user, contents)
    return await _stored(user, checked(contents, model, catalogue), model, catalogue)


async def _stored(user: User, contents: list[Content], model: Model, catalogue: Catalogue) -> list[Content]:
    inline = [part for content in contents for part in content["parts"] if "inlineData" in part]
    if not inline:
        return contents
    if len(inline) > (most := min(limits.of("PHOTOS_MESSAGE"), limits.of("UPLOAD_USER"))):
        if all(map(is_sound, inline)):
            raise TooLarge(f"The message has {len(inline)} sounds: send at most {most} at a time.")
        raise TooLarge(f"The message has {len(inline)} photos: send at most {most} at a time.")
    await limits.spend("upload", user=user.pk, cost=len(inline))
    for part in inline:
        await _store(user, part)
        catalogue.senses.check(part, model)
    return contents


async def _store(user: User, part: Part) -> None:
    inline = part.pop("inlineData")
    part |= (await from_inline(user, inline["mimeType"], inline["data"])).as_part()


async def _name_sounds(user: User, contents: list[Content]) -> None:
    """Set the `mimeType` of stored sounds to their real type, whatever the client sent; remove it from photos."""
    parts = [part for content in contents for part in content["parts"] if "attachment" in part]
    if not parts:
        return
    sounds = Attachment.objects.for_user(user.pk).filter(
        pk__in=attachments_of(contents), mime_type__startswith="audio/"
    )
    types = {str(pk): kind for pk, kind in await in_thread(lambda: list(sounds.values_list("pk", "mime_type")))}
    for part in parts:
        part.pop("mimeType", None)
        if kind := types.get(part["attachment"]):
            part["mimeType"] = kind


async def in_full(asked: Prompt) -> Prompt:
    """The prompt with its stored photos and sounds as `inlineData`."""
    ids = attachments_of(asked.contents)
    if not ids:
        return asked
    found = await in_thread(lambda: {str(each.pk): _part(each) for each in Attachment.objects.filter(pk__in=ids)})
    return dataclasses.replace(asked, contents=with_attachments(asked.contents, found))


def _part(found: Attachment) -> Part:
    return {"inlineData": {"mimeType": found.mime_type, "data": base64.b64encode(found.data).decode()}}
