"""The first title of a chat, until its model or its user gives it another one."""

from unicodedata import category

from django.utils.translation import get_supported_language_variant, override
from django.utils.translation import gettext as _

from chat.protocol.prompt import Content, is_photo, is_sound, text_of

TITLE_LENGTH = 80
"""In characters, with the ellipsis."""
JOINER = "\u200d"
SKIN_TONES = range(0x1F3FB, 0x1F400)
LETTERS_OF_FLAGS = range(0x1F1E6, 0x1F200)
ENGLISH = "en"


def first_title(question: Content, language: str | None) -> str:
    """The first words of its question; without words, what it is ("Photo"), in the language of the request."""
    if words := " ".join(text_of(question).split()):
        return shortened(words)
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


def shortened(words: str) -> str:
    """To the end of a word, or, where that would leave little, as in Chinese, of a character with its marks. The page
    shortens alike until it is told (titleOf in static/chat/turn.js)."""
    if len(words) <= TITLE_LENGTH:
        return words
    end = words.rfind(" ", TITLE_LENGTH // 2, TITLE_LENGTH)
    if end < 0:
        end = next((at for at in range(TITLE_LENGTH - 1, 0, -1) if not is_joined(words, at)), TITLE_LENGTH - 1)
    return f"{words[:end]}…"


def is_joined(words: str, at: int) -> bool:
    """Whether what stands there is seen as one with what comes before it."""
    is_mark = category(words[at]).startswith("M") or ord(words[at]) in SKIN_TONES or ord(words[at]) in LETTERS_OF_FLAGS
    return is_mark or JOINER in words[at - 1 : at + 1]
