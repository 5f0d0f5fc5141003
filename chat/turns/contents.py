"""Checks of a question's contents against its model."""

from chat import limits
from chat.protocol.errors import TooLarge
from chat.protocol.prompt import Content, Model
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
