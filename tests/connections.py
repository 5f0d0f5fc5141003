"""Connections of the servers, proxies and readers of the tests."""

import asyncio
import contextlib


def abort(writer: asyncio.StreamWriter) -> None:
    """Close the connection now, whatever is still to be sent.

    CPython before 3.12 raises AttributeError for a transport that has closed after sending what it had buffered.
    """
    with contextlib.suppress(AttributeError):
        writer.transport.abort()
