"""What must hold in a process's memory, looked at after each of its steps."""

from typing import TYPE_CHECKING

from chat.log.tail import MAX_PENDING

if TYPE_CHECKING:
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

LARGEST_CHUNK = 80_000
"""Characters: twice that may be on their way beyond the bound, one chunk that is given and one that was held back."""


def check_pending(world: "World", worker: "Worker") -> None:
    """What a turn has said and not yet stored is bounded: its provider waits."""
    for stream_id in worker.turns.running():
        turn = worker.turns.turn_of(stream_id)
        if turn is not None and turn.tail.pending > MAX_PENDING + 2 * LARGEST_CHUNK:
            world.violated(f"{turn.tail.pending} characters of stream {stream_id} wait for their commit")


def check_idle(world: "World", worker: "Worker") -> None:
    """When a process has nothing to do, each reader that waits for a stream written there has all that is stored."""
    both = worker.log._tails.keys() & worker.log._elsewhere.keys()
    if both:
        world.violated(f"readers of {both} wait for another process, and this one writes it")
    for stream_id, tail in worker.log._tails.items():
        newest = tail.events[-1].seq
        for subscriber in tail.subscribers:
            waits = subscriber._waiter is not None and not subscriber._waiter.done()
            if waits and subscriber.after < newest:
                world.violated(f"a reader of stream {stream_id} waits at {subscriber.after}, and {newest} is stored")
