"""Bytes in JSON, as protocol buffers encode them.

"Either standard or URL-safe base64 encoding with/without paddings are accepted"
(https://protobuf.dev/programming-guides/json/). Whitespace is ignored, since MIME's encoders write line ends.
"""

import base64
import binascii

from chat.protocol.errors import InvalidArgument

STANDARD = str.maketrans("-_", "+/", " \t\r\n")


def decoded(data: str) -> bytes:
    """Decode base64. Raises InvalidArgument."""
    if data.lstrip().startswith("data:"):
        raise InvalidArgument("`inlineData.data` is a `data:` address: send only the base64 behind its comma.")
    text = data.translate(STANDARD)
    bare = text.rstrip("=")
    padding = -len(bare) % 4
    try:
        if len(text) - len(bare) > padding:
            raise ValueError("more padding than belongs there")
        return base64.b64decode(bare + "=" * padding, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidArgument("`inlineData.data` is not base64.") from None
