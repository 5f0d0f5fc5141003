"""The first title of a chat, until its model or its user gives it another one."""

from django.utils.translation import get_supported_language_variant, override
from django.utils.translation import gettext as _

from chat.protocol.prompt import Content, is_photo, is_sound, text_of

TITLE_LENGTH = 80
ENGLISH = "en"


def first_title(question: Content, language: str | None) -> str:
    """The first words of its question; without words, what it is ("Photo"), in the language of the request."""
    if words := " ".join(text_of(question).split())[:TITLE_LENGTH]:
        return words
    with override(known(language)):
        if any(map(is_sound, question["parts"])):
            return _("Spoken question")
        return _("Photo") if any(map(is_photo, question["parts"])) else ""


def known(language: str | None) -> str:
    """The site's language for a tag such as `fr-CA`; English if it has none."""
    try:
        return get_supported_language_variant(language or ENGLISH)
    except LookupError:
        return ENGLISH
