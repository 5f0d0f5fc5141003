"""Adds to an error's message what the user can do about it."""

from chat.protocol import errors

PASSING = (
    errors.Unavailable,
    errors.ResourceExhausted,
    errors.DeadlineExceeded,
    errors.Internal,
    errors.BadUpstream,
    errors.Truncated,
)
LASTING = (errors.PermissionDenied, errors.NotFound)


def advised(error: errors.ApiError, choice: bool) -> errors.ApiError:
    """Return the error with advice at the end of its message. `choice`: whether there is another model.

    Errors of invalid requests are not changed: their messages say what is wrong.
    """
    advice = ""
    if isinstance(error, PASSING):
        when = f" in {error.retry_after} s" if error.retry_after else ""
        advice = f"Try again{when}{', or choose another model' if choice else ''}."
    elif isinstance(error, errors.Blocked):
        advice = f"Say it in other words{', or choose another model' if choice else ''}."
    elif isinstance(error, LASTING) and choice:
        advice = "Choose another model."
    if advice and "ry again" not in error.message:
        error.message = f"{error.message} {advice}"
    return error
