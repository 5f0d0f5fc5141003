"""What Gemini's models can do, at Google's own API and at Vertex AI: neither list says it."""

import re

from chat.protocol.prompt import SOUND_TYPES, Model
from chat.providers.settings import Settings, named, text

CONTEXT = 1_000_000

THINKING = re.compile(r"gemini-(2\.5|[3-9]|flash-latest|pro-latest)")
"""The 2.5 series and later ones think (https://ai.google.dev/gemini-api/docs/thinking)."""


def models_of(settings: Settings, provider: str, default: str) -> tuple[Model, ...]:
    """Return the provider's models in WONDERCAM_MODELS, or the default model if that is unset."""
    names = named(settings, provider)
    if not names and not text(settings, "WONDERCAM_MODELS"):
        names = [default]
    return tuple(
        Model(provider, name, images=True, sounds=SOUND_TYPES, context=CONTEXT, thinks=bool(THINKING.match(name)))
        for name in names
    )
