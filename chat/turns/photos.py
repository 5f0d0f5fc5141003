"""Photos in the body of a question: kept as uploaded ones are, and within the same limits."""

from chat import limits
from chat.attachments import from_inline
from chat.models import User
from chat.protocol.errors import TooLarge
from chat.protocol.prompt import Content, Part


async def store_inline(user: User, contents: list[Content]) -> list[Content]:
    """The contents with their `inlineData` parts stored, and spoken of by id.

    TooLarge for more photos than a message may have; ResourceExhausted, with none of them stored, where they are more
    than the user may still send.
    """
    inline = [part for content in contents for part in content["parts"] if "inlineData" in part]
    if not inline:
        return contents
    if len(inline) > (most := min(limits.of("PHOTOS_MESSAGE"), limits.of("UPLOAD_USER"))):
        raise TooLarge(f"The message has {len(inline)} photos: send at most {most} at a time.")
    await limits.spend("upload", user=user.pk, cost=len(inline))
    for part in inline:
        await _store(user, part)
    return contents


async def _store(user: User, part: Part) -> None:
    inline = part.pop("inlineData")
    photo = await from_inline(user, inline["mimeType"], inline["data"])
    part["attachment"] = str(photo.pk)
