"""How the answer begins, and what it is made of."""

from time import monotonic

from tests.conformance.reading import EVENT_STREAM
from tests.conformance.trial import Failed, Trial, require


async def acknowledged(trial: Trial) -> str:
    """An event of its own says that the question was taken, before the first word."""
    began = monotonic()
    async with trial.begin() as reading:
        first = (await reading.until(lambda received: received.items)).items
        taken = monotonic()
        await reading.until(lambda received: received.text or received.end)
        spoken = monotonic()
        await reading.to_end()
    require(first, f"No event came; the status was {reading.status}.")
    require(not reading.received.items[0].text, "The first event is the answer's first word.")
    return f"after {1000 * (taken - began):.0f} ms, the first word after {1000 * (spoken - began):.0f} ms"


async def event_stream(trial: Trial) -> None:
    """The answer is an event stream: status 200, `text/event-stream`."""
    kind = (await trial.finished()).headers.get("content-type", "nothing")
    require(kind.partition(";")[0].strip().lower() == EVENT_STREAM, f"Its type is {kind}.")


async def not_cached(trial: Trial) -> None:
    """`Cache-Control` forbids caches to keep the stream and proxies to change it."""
    told = (await trial.finished()).headers.get("cache-control", "")
    words = {word.strip().lower() for word in told.split(",")}
    require(words & {"no-cache", "no-store"}, f"It is `{told}`, which allows to keep it.")
    require("no-transform" in words, f"It is `{told}`, without `no-transform`: a proxy may compress and hold it.")


async def not_buffered(trial: Trial) -> None:
    """`X-Accel-Buffering: no` asks proxies that gather what they pass on not to."""
    told = (await trial.finished()).headers.get("x-accel-buffering", "not sent")
    require(told.lower() == "no", f"`X-Accel-Buffering` was {told}.")


async def not_compressed(trial: Trial) -> None:
    """It is not compressed, also where the reader would take that: compressed bytes wait for each other."""
    finished = await trial.finished()
    headers = {**trial.adapter.owner, "Accept-Encoding": "gzip, deflate"}
    async with trial.adapter.open(trial.adapter.following(finished.stream), headers) as reading:
        require(reading.is_event_stream, f"It was answered with {reading.status}.")
        coding = reading.headers.get("content-encoding", "identity")
    require(coding == "identity", f"It was sent with `Content-Encoding: {coding}`.")


async def ids(trial: Trial) -> None:
    """Every event has an id, and no two have the same."""
    named = [item.id for item in (await trial.finished()).received.items]
    require(all(named), f"{named.count('')} of {len(named)} events have no id.")
    require(len(set(named)) == len(named), f"{len(named)} events have {len(set(named))} ids.")


async def typed_end(trial: Trial) -> str:
    """The stream says that it has ended, so that a cut is never taken for an end."""
    finished = await trial.finished()
    require(finished.received.end, "The body was over without a word.")
    if trial.adapter.received(finished.body[: len(finished.body) // 2]).end:
        raise Failed("Half of the body says so already.")
    return finished.received.end


CHECKS = (acknowledged, event_stream, not_cached, not_buffered, not_compressed, ids, typed_end)
