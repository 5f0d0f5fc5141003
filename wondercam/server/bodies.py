"""How much of a request's body is held: what each may bring, and all of them together.

The application says what one request may bring, by its scope, when its headers are there and its body is not. Bodies
are in flight from their first byte until their response begins: that is how long they may be in memory.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

SMALL = 64 * 1024
"""Bytes of a body that are taken whatever others hold: a question must get through while photos fill the rest."""
BUSY = "Too many requests with large bodies are arriving just now: try again in a moment."


class Limit(NamedTuple):
    """The most bytes that a request's body may have, and what is said to one that has more."""

    most: int
    code: int = 413
    message: str = ""


Rule = Callable[[dict[str, Any]], Limit]
"""What the application gives the server: the limit of the request with this ASGI scope."""


class BodyRefused(Exception):
    """A body that is not taken: HTTP status and sentence."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Bodies:
    """Counts the bytes of all bodies in flight; at most `most`, or one body alone whatever its size."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def body(self, limit: Limit, declared: int | None) -> "Body":
        """The body of one request, of that Content-Length (None: chunked); Refused where it cannot be taken."""
        body = Body(self, limit)
        body.check(declared or 0)
        return body


class Body:
    """One request's body while it is in flight."""

    __slots__ = ("bodies", "limit", "pieces", "size")

    def __init__(self, bodies: Bodies, limit: Limit) -> None:
        self.bodies, self.limit = bodies, limit
        self.pieces: list[bytes] = []
        self.size = 0

    def check(self, size: int) -> None:
        """Refused when it may not have that many bytes."""
        if size > self.limit.most:
            said = self.limit.message or f"The request is too large: at most {self.limit.most:,} bytes."
            raise BodyRefused(self.limit.code, said)
        others = self.bodies.held - self.size
        if size > SMALL and others and others + size > self.bodies.most:
            raise BodyRefused(503, BUSY)

    def add(self, piece: bytes) -> None:
        """Take a piece; Refused where that is too much, and then nothing of the body is kept."""
        try:
            self.check(self.size + len(piece))
        except BodyRefused:
            self.release()
            raise
        self.pieces.append(piece)
        self.size += len(piece)
        self.bodies.held += len(piece)

    def content(self) -> bytes:
        """The whole body. It counts until `release`."""
        pieces, self.pieces = self.pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def release(self) -> None:
        """Count it no more; once or several times."""
        self.bodies.held -= self.size
        self.size, self.pieces = 0, []
