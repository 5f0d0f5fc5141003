"""The errors that clients can get, in Google's error model.

    ApiError                    code  status
    ├── InvalidArgument         400   INVALID_ARGUMENT     the request is wrong; the message says where
    ├── Unauthenticated         401   UNAUTHENTICATED      no token, or one that is not (or no longer) valid
    ├── PermissionDenied        403   PERMISSION_DENIED
    ├── NotFound                404   NOT_FOUND            unknown and foreign ids alike
    ├── MethodNotAllowed        405   UNIMPLEMENTED
    ├── TooLarge                413   INVALID_ARGUMENT     a body, prompt or photo over its limit
    ├── UnsupportedMediaType    415   INVALID_ARGUMENT
    ├── ResourceExhausted       429   RESOURCE_EXHAUSTED   carries `retry_after`
    ├── Internal                500   INTERNAL
    ├── Truncated               502   DATA_LOSS            the upstream's stream ended before its end
    ├── BadUpstream             502   INTERNAL             the upstream sent something that is no answer
    ├── Blocked                 400   FAILED_PRECONDITION  the upstream refused the prompt or the answer
    ├── Unavailable             503   UNAVAILABLE          carries `retry_after`
    ├── Interrupted             503   ABORTED              the worker went away in the middle of the answer
    └── DeadlineExceeded        504   DEADLINE_EXCEEDED

Before a stream begins, an error is an HTTP status and this JSON; after that it is an event with the same JSON
(https://google.aip.dev/193). Messages are sentences for people: they contain no key, no address and no upstream body.
"""

from typing import Any, ClassVar


class ApiError(Exception):
    """An error with an HTTP `code`, Google's canonical `status`, a `message`, and for 429 and 503 `retry_after` (s)."""

    code: ClassVar[int] = 500
    status: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after

    def as_json(self) -> dict[str, Any]:
        """`{"error": {"code", "status", "message"}}`."""
        return {"error": {"code": self.code, "status": self.status, "message": self.message}}


class InvalidArgument(ApiError):
    code, status = 400, "INVALID_ARGUMENT"


class Unauthenticated(ApiError):
    code, status = 401, "UNAUTHENTICATED"


class PermissionDenied(ApiError):
    code, status = 403, "PERMISSION_DENIED"


class NotFound(ApiError):
    code, status = 404, "NOT_FOUND"


class UnknownModel(NotFound):
    """There is no model of that name here."""


class MethodNotAllowed(ApiError):
    code, status = 405, "UNIMPLEMENTED"


class TooLarge(ApiError):
    code, status = 413, "INVALID_ARGUMENT"


class UnsupportedMediaType(ApiError):
    code, status = 415, "INVALID_ARGUMENT"


class ResourceExhausted(ApiError):
    code, status = 429, "RESOURCE_EXHAUSTED"


class Internal(ApiError):
    code, status = 500, "INTERNAL"


class Truncated(ApiError):
    code, status = 502, "DATA_LOSS"


class BadUpstream(ApiError):
    code, status = 502, "INTERNAL"


class Blocked(ApiError):
    """`gemini` is Gemini's own response in this case: a `promptFeedback`, or a candidate without content."""

    code, status = 400, "FAILED_PRECONDITION"

    def __init__(self, message: str, *, gemini: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.gemini = gemini


class Unavailable(ApiError):
    code, status = 503, "UNAVAILABLE"


class GoesOnElsewhere(Unavailable):
    """This process is going down while the stream runs elsewhere. The body of an event stream is cut off without it."""


class Interrupted(ApiError):
    code, status = 503, "ABORTED"


class DeadlineExceeded(ApiError):
    code, status = 504, "DEADLINE_EXCEEDED"
