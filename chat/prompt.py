"""What is asked, and of which model: the one shape that every provider is given.

The language inside WonderCam is Gemini's JSON: a `Content` is `{"role": "user"|"model", "parts": [...]}`
and a part is `{"text": …}` or `{"inlineData": {"mimeType": …, "data": <base64>}}`
(https://ai.google.dev/api/caching#Content). Gemini's own servers get it as it is; other providers translate.
"""

from dataclasses import dataclass, field
from typing import Any

Part = dict[str, Any]
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """One model that can be asked. `context` is in tokens; None where the provider cuts by itself."""

    provider: str
    name: str
    title: str = ""
    images: bool = False
    context: int | None = None

    @property
    def id(self) -> str:
        """`provider/name`, as in WONDERCAM_MODELS and in requests."""
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One turn as a provider gets it. `contents` runs from the oldest to the newest and ends with the user's."""

    model: Model
    contents: list[Content]
    system: str = ""
    generation: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields of the Gemini request that only Gemini understands (`safetySettings`, `tools` …), passed on untouched."""

    def has_images(self) -> bool:
        """Whether any part carries a photo."""
        return any("inlineData" in part for content in self.contents for part in content["parts"])


def text_of(content: Content) -> str:
    """The text parts of a content, joined."""
    return "".join(part.get("text", "") for part in content["parts"])
