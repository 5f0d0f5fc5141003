"""What a reader can do about a failure: the end of its sentence, by its kind."""

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
    """The error with what can be done about it in its sentence; `choice` is whether there is another model to choose.

    Requests that are wrong say by themselves what is wrong with them.
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
