"""What an empty chat offers: questions that suit the model that is there, and a line where only the small one is."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from chat.providers.local.weights import MODEL
from chat.views.models import NO, READ, SEEN

EMBEDDED = f"local/{MODEL}"
SUGGESTIONS: dict[str, tuple[tuple[Any, bool], ...]] = {
    SEEN: (
        (_("What is in this photo?"), True),
        (_("Describe this photo for somebody who cannot see it."), True),
        (_("How does a camera turn light into a photo?"), False),
    ),
    READ: (
        (_("What is in this photo?"), True),
        (_("Read the text in this photo."), True),
        (_("Tell me a short story about a lighthouse."), False),
    ),
    NO: (
        (_("How does a camera turn light into a photo?"), False),
        (_("Explain to me why the sky is blue."), False),
        (_("Tell me a short story about a lighthouse."), False),
    ),
}
"""By what becomes of a photo: each question, and whether a photo belongs to it."""


def welcome(models: list[dict[str, str]]) -> dict[str, Any]:
    """What the template needs, for the models as the composer offers them; the first one answers."""
    suits = SUGGESTIONS[models[0]["photos"]] if models else ()
    return {"suggestions": suits, "is_small": [model["id"] for model in models] == [EMBEDDED]}
