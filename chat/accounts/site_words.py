"""Passwords made of words that anybody who knows this site would try first (ASVS 5.0, 6.1.2 and 6.2.11)."""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

WORDS = ("wondercam", "wonder", "camera", "passphrase", "password", "admin", "review", "guest", "chat", "model")
"""Beside these: the parts of the site's own names (ALLOWED_HOSTS)."""

LEFT = 8
"""So many other letters and digits there must be."""


class SiteWordsValidator:
    """Refuses a password in which too little is left without those words, in any case."""

    def validate(self, password: str, user: Any = None) -> None:
        """ValidationError where it is one of them."""
        left = password.lower()
        for word in sorted(words(), key=len, reverse=True):
            left = left.replace(word, "")
        is_made_of_them = left != password.lower() and len(re.sub(r"[\W_]", "", left)) < LEFT
        if is_made_of_them:
            raise ValidationError(self.get_help_text(), code="site_words")

    def get_help_text(self) -> str:
        """What is asked for."""
        return _("Your password cannot be made of words of this site, such as its name.")


def words() -> set[str]:
    """All of them, in small letters; of the site's names the parts that say something."""
    parts = {part for host in settings.ALLOWED_HOSTS for part in host.lower().split(".") if len(part) > 3}
    return {*WORDS, *parts}
