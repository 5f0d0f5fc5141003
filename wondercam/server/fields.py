"""The header fields of one request: read line by line, and kept as the application gets them."""

import re

from daphne.utils import HEADER_NAME_RE, INVALID_HEADER_VALUE_BYTES

Field = tuple[bytes, bytes]
"""Its name in small letters, and its value."""

BREAKS = re.compile(rb"[\0\r\n]")
"""What no value may hold (RFC 9110, 5.5); the others that Daphne refuses have an answer of their own."""
UNCLEAN = re.compile(b"[%b]" % re.escape(bytes(sorted(INVALID_HEADER_VALUE_BYTES))))


def field_of(line: bytes) -> Field | None:
    """One line's field; None where its name is no token, or its value has a line end or NUL in it."""
    name, colon, value = line.partition(b":")
    if not colon or not HEADER_NAME_RE.fullmatch(name) or BREAKS.search(value):
        return None
    return name.lower(), value.strip(b" \t")


class Fields:
    """A request's fields in the order of their arrival.

    Twisted's `Headers` bring each name into another form, group what has the same one and are taken apart again for
    the application: a dozen calls a field.
    """

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[Field] = []

    def getRawHeaders(self, name: bytes, default: list[bytes] | None = None) -> list[bytes] | None:
        """All values of that name: what Twisted asks of its own."""
        sought = name.lower()
        return [value for key, value in self.pairs if key == sought] or default

    def are_clean(self) -> bool:
        """Whether no value has a control character by which another program might see a line's end."""
        return not UNCLEAN.search(b" ".join([value for _, value in self.pairs]))
