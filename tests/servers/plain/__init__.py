"""The server alone: real sockets to a real process that runs `tests/plain_asgi.py`."""
