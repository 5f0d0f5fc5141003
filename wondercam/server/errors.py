"""What a request is told that the application never saw."""

import json

STATUSES = {400: "INVALID_ARGUMENT", 408: "DEADLINE_EXCEEDED", 413: "INVALID_ARGUMENT", 501: "UNIMPLEMENTED"}


def error_body(code: int, message: str) -> bytes:
    """Google's error model, as the application's own errors have it."""
    status = STATUSES.get(code, "INTERNAL")
    return json.dumps({"error": {"code": code, "status": status, "message": message}}).encode()
