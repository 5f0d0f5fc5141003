"""Pictures that a model generated, in chat completions, as Gemini's parts.

| form | from |
| --- | --- |
| `delta.images` `[{"type": "image_url", "image_url": {"url": "data:…"}}]` | OpenRouter, LiteLLM |
| `delta.images` `["data:…"]`, `[{"b64_json": "…"}]`, `[{"url": "data:…"}]` | gateways |
| `delta.content` `[{"type": "image_url", "image_url": {"url": "data:…"}}]` | vLLM-Omni, gateways |
| `delta.content` `[{"type": "image", "source": {"media_type", "data"}}]` | Anthropic's shape |
| `delta.content` or `images` `[{"inline_data": {"mime_type", "data"}}]`, in either case | Gemini's shape |

A picture with an http(s) URL becomes text with that URL: nothing is fetched.
"""

import re
from typing import Any

from chat.protocol.openai_tools import listed
from chat.protocol.prompt import Part

DATA = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,([A-Za-z0-9+/=]+)", re.IGNORECASE)


def pictures_in(delta: dict[str, Any], seen: set[int]) -> list[Part]:
    """Return the pictures of a delta or a message as parts, in their order, without those that are `seen`, to which
    they are added: a whole message at the end has them again."""
    drawn = [each if isinstance(each, dict) else {"url": each} for each in listed(delta.get("images"))]
    content = [each for each in listed(delta.get("content")) if isinstance(each, dict)]
    addresses = [
        *(address_of(each) or address_of({"image_url": each.get("url")}) for each in drawn),
        *map(address_of, content),
    ]
    new = [each for each in dict.fromkeys(addresses) if each and hash(each) not in seen]
    seen.update(map(hash, new))
    return [part_of(each) for each in new]


def address_of(item: dict[str, Any]) -> str:
    """Return the URL of an item's `image_url`, which is an object or the URL itself, or its data as one; "" if there is
    none."""
    given = next(
        (each for name in ("source", "inline_data", "inlineData") if isinstance(each := item.get(name), dict)), {}
    )
    if isinstance(data := given.get("data"), str):
        kind = next((given[name] for name in ("media_type", "mime_type", "mimeType") if given.get(name)), "image/png")
        return f"data:{kind};base64,{data}"
    if isinstance(data := item.get("b64_json"), str):
        return f"data:image/png;base64,{data}"
    image = item.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image or given.get("url")
    return url if isinstance(url, str) else ""


def part_of(address: str) -> Part:
    """Return `inlineData` for a data URL; text with the URL, or a placeholder, for others."""
    if found := DATA.fullmatch(address):
        return {"inlineData": {"mimeType": found[1].lower(), "data": found[2]}}
    return {"text": address if address.startswith(("https://", "http://")) else "[a picture]"}
