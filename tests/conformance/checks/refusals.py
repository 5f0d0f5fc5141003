"""What must be refused before a stream begins: nobody takes an error for an answer then."""

from tests.conformance.trial import Absent, Trial, require

UNKNOWN = "01a21858-a40b-770d-9800-ec23a19930e6"
"""The name of a stream that nobody began."""


async def foreign_stream(trial: Trial) -> None:
    """A stranger's request for one's stream is answered as one for a stream that there is not: 404."""
    if trial.adapter.stranger is None:
        raise Absent("There are no users.")
    finished = await trial.finished()
    status = await trial.status(trial.adapter.following(finished.stream), trial.adapter.stranger)
    require(status == 404, f"It was answered with {status}.")


async def foreign_stop(trial: Trial) -> None:
    """A stranger cannot stop one's stream."""
    finished = await trial.finished()
    call = trial.adapter.stopping(finished.stream)
    if call is None or trial.adapter.stranger is None:
        raise Absent("There are no users." if call else "There is no request for it.")
    status = await trial.status(call, trial.adapter.stranger)
    require(status == 404, f"It was answered with {status}.")


async def unknown_stream(trial: Trial) -> None:
    """A stream that there is not is answered with 404."""
    status = await trial.status(trial.adapter.following(UNKNOWN))
    require(status == 404, f"It was answered with {status}.")


async def cursor_that_is_none(trial: Trial) -> None:
    """What is no cursor is refused (4xx), and never taken for the beginning."""
    if trial.adapter.cursor_that_is_none is None:
        raise Absent("Anything is a cursor.")
    finished = await trial.finished()
    status = await trial.status(trial.adapter.following(finished.stream, trial.adapter.cursor_that_is_none))
    require(400 <= status < 500, f"It was answered with {status}.")


async def cursor_ahead(trial: Trial) -> None:
    """A cursor behind the stream's end, which nobody can have got, is refused (4xx)."""
    finished = await trial.finished()
    ahead = trial.adapter.cursor_ahead(finished.received.cursor or "")
    if ahead is None:
        raise Absent("None can be made up.")
    status = await trial.status(trial.adapter.following(finished.stream, ahead))
    require(400 <= status < 500, f"It was answered with {status}.")


async def cursor_of_another_stream(trial: Trial) -> None:
    """The cursor of another stream is refused (4xx)."""
    finished, other = await trial.finished(), await trial.another()
    cursor = other.received.cursor
    if cursor is None or cursor == finished.received.cursor:
        raise Absent("A cursor does not say of which stream it is.")
    status = await trial.status(trial.adapter.following(finished.stream, cursor))
    require(400 <= status < 500, f"It was answered with {status}.")


CHECKS = (
    foreign_stream,
    foreign_stop,
    unknown_stream,
    cursor_that_is_none,
    cursor_ahead,
    cursor_of_another_stream,
)
