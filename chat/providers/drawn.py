"""Pictures that a model generated, in chat completions, as Gemini's parts.

| form | from |
| --- | --- |
| `delta.images` `[{"type": "image_url", "image_url": {"url": "data:…"}}]` | OpenRouter, LiteLLM |
| `delta.content` `[{"type": "image_url", "image_url": {"url": "data:…"}}]` | vLLM-Omni, gateways |

A picture with an http(s) URL becomes text with that URL: nothing is fetched.
"""

import re
from typing import Any

from chat.protocol.prompt import Part

DATA = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,([A-Za-z0-9+/=]+)", re.IGNORECASE)


def pictures_in(delta: dict[str, Any]) -> list[Part]:
    """Return the pictures of a delta or a message as parts, in their order."""
    items = [
        item
        for field in (delta.get("images"), delta.get("content"))
        if isinstance(field, list)
        for item in field
        if isinstance(item, dict)
    ]
    addresses = [address_of(item.get("image_url")) for item in items]
    return [part_of(address) for address in addresses if address]


def address_of(image: Any) -> str:
    """Return the URL of an `image_url`, which is an object or the URL itself; "" if there is none."""
    url = image.get("url") if isinstance(image, dict) else image
    return url if isinstance(url, str) else ""


def part_of(address: str) -> Part:
    """Return `inlineData` for a data URL; text with the URL, or a placeholder, for others."""
    if found := DATA.fullmatch(address):
        return {"inlineData": {"mimeType": found[1].lower(), "data": found[2]}}
    return {"text": address if address.startswith(("https://", "http://")) else "[a picture]"}
