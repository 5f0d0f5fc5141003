"""Which stream the current task works for, so that every line of the server's log can name it."""

from contextvars import ContextVar

stream_id: ContextVar[str] = ContextVar("stream_id", default="")
"""The id of the stream that is generated here; empty elsewhere. A turn sets it in the context of its task."""
