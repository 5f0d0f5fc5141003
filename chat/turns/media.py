"""A question's contents: checked against its model, photos and sounds in it stored, and loaded for the model.

checked ── the model can take them
kept ───── and all photos and sounds are stored
claim ──── their conversation owns them, or copies, in the transaction that stores or queues the message
discard ── the message is not sent after all
in_full ── the model is asked
"""

import base64
import dataclasses
from bisect import bisect_right
from itertools import accumulate
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Length

from chat import limits
from chat.attachments import check_space, from_inline
from chat.log.sql import in_thread
from chat.models import Attachment, Message, QueuedMessage, User
from chat.protocol import ids
from chat.protocol.errors import NotFound, TooLarge
from chat.protocol.prompt import (
    Content,
    Model,
    Part,
    Prompt,
    attachments_of,
    is_sound,
    renamed,
    type_of,
    with_attachments,
)
from chat.protocol.request import text_bytes
from chat.providers.catalogue import Catalogue


def checked(contents: list[Content], model: Model, catalogue: Catalogue) -> list[Content]:
    """The contents, unchanged. TooLarge if their text is too long or they have too many photos and sounds, also by id:
    each is sent to the model as often as it is named. InvalidArgument for those that the model cannot take."""
    if text_bytes(contents) > (most := limits.of("PROMPT_BYTES")):
        raise TooLarge(f"The message is longer than {most:,} bytes.")
    _check_count([part for part in _parts(contents) if type_of(part)], limits.of("PHOTOS_MESSAGE"))
    for content in contents:
        for part in content["parts"]:
            catalogue.senses.check(part, model)
    return contents


def _parts(contents: list[Content]) -> list[Part]:
    return [part for content in contents for part in content["parts"]]


def _check_count(found: list[Part], most: int) -> None:
    """Raise TooLarge for more than `most` photos and sounds."""
    if len(found) > most:
        if all(map(is_sound, found)):
            raise TooLarge(f"The message has {len(found)} sounds: send at most {most} at a time.")
        raise TooLarge(f"The message has {len(found)} photos: send at most {most} at a time.")


async def kept(user: User, contents: list[Content], model: Model, catalogue: Catalogue) -> list[Content]:
    """The contents, checked for the model, with photos and sounds of the body stored and named by id.

    Raises the errors of `checked`, TooLarge for more photos and sounds, or more bytes of them, than a message may have,
    and ResourceExhausted for more than the user may still send. Nothing is stored then, except a sound that turns out,
    once it is decoded, to be of a type that the model does not take.
    """
    if any("text" not in part for part in _parts(contents)):
        await _name_sounds(user, contents)
        await _check_bytes(user, contents)
    return await _stored(user, checked(contents, model, catalogue), model, catalogue)


async def _check_bytes(user: User, contents: list[Content]) -> None:
    """Raise TooLarge if photos and sounds of the user have more bytes than a message may have, each as often as it is
    named. Of other people's nothing is told; `claim` refuses them."""
    named = attachments_of(contents)
    own = Attachment.objects.for_user(user.pk).filter(pk__in=named)
    sizes = await in_thread(lambda: sizes_of(own)) if named else {}
    inline = (len(part["inlineData"]["data"]) * 3 // 4 for part in _parts(contents) if "inlineData" in part)
    size, most = sum(sizes.get(pk, 0) for pk in named) + sum(inline), limits.of("MEDIA_BYTES")
    if size > most:
        raise TooLarge(
            f"The message has {size / 1e6:.1f} MB of photos and sounds: send at most {most / 1e6:.1f} MB at a time."
        )


def sizes_of(attachments: QuerySet[Attachment]) -> dict[str, int]:
    """The bytes of each of these stored photos and sounds, by id."""
    return {str(pk): size for pk, size in attachments.values_list("pk", Length("data"))}


async def _stored(user: User, contents: list[Content], model: Model, catalogue: Catalogue) -> list[Content]:
    inline = [part for part in _parts(contents) if "inlineData" in part]
    if not inline:
        return contents
    _check_count(inline, limits.of("UPLOAD_USER"))
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
    parts = [part for part in _parts(contents) if "attachment" in part]
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


def claim(user_id: int, conversation_id: UUID, contents: list[Content]) -> list[Content]:
    """Have the conversation own these photos and sounds, in the caller's transaction; returns the contents to store.

    One that another conversation owns is copied, since it is deleted with its owner: the contents name the copy.
    NotFound unless all are the user's, ResourceExhausted for a copy beyond the user's space.
    """
    named = set(attachments_of(contents))
    if not named:
        return contents
    own = Attachment.objects.select_for_update(no_key=True).for_user(user_id).filter(pk__in=named)
    owners = dict(own.values_list("pk", "conversation_id"))
    if len(owners) != len(named):
        raise NotFound("There is no such photo.")
    own.filter(conversation=None).update(conversation_id=conversation_id)
    elsewhere = [pk for pk, owner in owners.items() if owner not in (None, conversation_id)]
    copies = {str(each.pk): _copy(each, conversation_id) for each in own.filter(pk__in=elsewhere)}
    return renamed(contents, copies) if copies else contents


def _copy(found: Attachment, conversation_id: UUID) -> str:
    """The id of a new copy, which the conversation owns."""
    check_space(found.user_id)
    found.pk, found.conversation_id = ids.new(), conversation_id
    found.save(force_insert=True)
    return str(found.pk)


def discard(user_id: int, contents: list[Content]) -> None:
    """Delete the photos and sounds of contents that are not sent, but for those that a message of the user's has,
    queued or sent; in the caller's transaction."""
    for pk in attachments_of(contents):
        said = Message.objects.filter(conversation__user=user_id, role=Message.USER, parts__icontains=pk)
        queued = QueuedMessage.objects.filter(conversation__user=user_id, request__icontains=pk)
        if not said.exists() and not queued.exists():
            Attachment.objects.for_user(user_id).filter(pk=pk).delete()


async def in_full(asked: Prompt) -> Prompt:
    """The prompt with its stored photos and sounds as `inlineData`; with texts in place of the oldest, where all
    together have more bytes than MEDIA_BYTES."""
    named = attachments_of(asked.contents)
    if not named:
        return asked
    sizes = await in_thread(lambda: sizes_of(Attachment.objects.filter(pk__in=named)))
    left_out = oldest_beyond(limits.of("MEDIA_BYTES"), [sizes.get(pk, 0) for pk in named])
    sent = Attachment.objects.filter(pk__in=set(named[left_out:]))
    found = await in_thread(lambda: {str(each.pk): _part(each) for each in sent})
    return dataclasses.replace(asked, contents=with_attachments(asked.contents, found, left_out))


def oldest_beyond(most: int, sizes: list[int]) -> int:
    """How many of the first must be left out for the rest to have at most so many bytes together."""
    totals = list(accumulate(reversed(sizes)))
    return len(sizes) - bisect_right(totals, most)


def _part(found: Attachment) -> Part:
    return {"inlineData": {"mimeType": found.mime_type, "data": base64.b64encode(found.data).decode()}}
