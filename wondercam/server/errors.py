"""Error responses of the server itself, to requests that never reach the application."""

import json
from http import HTTPStatus

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
MORE_HEADERS = {401: "WWW-Authenticate: Bearer\r\n", 503: "Retry-After: 1\r\n"}


def error_body(code: int, message: str) -> bytes:
    """The body of an error in Google's error model, like those of the application."""
    status = STATUSES.get(code, "INTERNAL")
    return json.dumps({"error": {"code": code, "status": status, "message": message}}).encode()


def refusal(code: int, message: str) -> bytes:
    """A complete response, after which the connection is closed."""
    body = error_body(code, message)
    head = f"HTTP/1.1 {code} {HTTPStatus(code).phrase}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
    head += f"{MORE_HEADERS.get(code, '')}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
