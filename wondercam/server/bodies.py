"""Bounds the memory of request bodies, of each one and of all together.

The application gives the limit of a request by its scope, before its body is read. A body is in flight, and counted,
from its first byte until its response begins.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

SMALL = 64 * 1024
"""Bodies up to this size are accepted whatever others hold: questions must get through while photos fill the rest."""
BUSY = "Too many requests with large bodies are arriving just now: try again in a moment."


class Limit(NamedTuple):
    """The largest body of a request, and the error for a larger one."""

    most: int
    code: int = 413
    message: str = ""


Rule = Callable[[dict[str, Any]], Limit]
"""Given by the application: the limit for a request with this ASGI scope."""


class BodyRefused(Exception):
    """A body that is not accepted, with the HTTP status and the message of the response."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Bodies:
    """Counts the bytes of all bodies in flight; at most `most`, or one body alone whatever its size."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def body(self, limit: Limit, declared: int | None) -> "Body":
        """The body of one request, of that Content-Length (None: chunked). BodyRefused if it is too large."""
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
        """BodyRefused if the body may not have `size` bytes."""
        if size > self.limit.most:
            said = self.limit.message or f"The request is too large: at most {self.limit.most:,} bytes."
            raise BodyRefused(self.limit.code, said)
        others = self.bodies.held - self.size
        if size > SMALL and others and others + size > self.bodies.most:
            raise BodyRefused(503, BUSY)

    def add(self, piece: bytes) -> None:
        """Add a piece. BodyRefused if the body is too large then; nothing of it is kept."""
        try:
            self.check(self.size + len(piece))
        except BodyRefused:
            self.release()
            raise
        self.pieces.append(piece)
        self.size += len(piece)
        self.bodies.held += len(piece)

    def content(self) -> bytes:
        """The whole body, which is counted until `release`."""
        pieces, self.pieces = self.pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def release(self) -> None:
        """Stop counting the body. Idempotent."""
        self.bodies.held -= self.size
        self.size, self.pieces = 0, []
