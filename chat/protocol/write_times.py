"""When a stream's events were stored, and when they were written to the socket of the reader who asked. Pure.

Both in ms since the stream began, on the server's clock: what lies between an event's `at`, when it came from the
provider, and its `received` in a receipt.
"""

import zlib
from array import array
from collections.abc import Iterable
from typing import NamedTuple

TICKS = 10
"""Ticks in a ms: times are kept as whole tenths of a ms."""

MOST_EVENTS = 5_000
"""Events of a stream whose times are kept; a receipt tells of no more either."""

UNKNOWN = -1


class Write(NamedTuple):
    """One event. `stored` is None where another process stored it."""

    seq: int
    stored: float | None
    written: float


def pack(writes: Iterable[Write]) -> bytes:
    """Compact, for the database; `unpack` is the opposite, to a tenth of a ms."""
    columns = list(zip(*writes, strict=True)) or [(), (), ()]
    return pack_columns(*columns)


def pack_columns(seqs: Iterable[int], stored: Iterable[float | None], written: Iterable[float]) -> bytes:
    """The same of three columns, as they are noted."""
    columns = (
        array("i", seqs),
        array("i", [UNKNOWN if at is None else int(at * TICKS + 0.5) for at in stored]),
        array("i", [int(at * TICKS + 0.5) for at in written]),
    )
    return zlib.compress(b"".join([column.tobytes() for column in columns]), 1)


def unpack(packed: bytes) -> list[Write]:
    """The times of `pack`."""
    ticks = array("i", zlib.decompress(packed))
    count = len(ticks) // 3
    rows = zip(ticks[:count], ticks[count : 2 * count], ticks[2 * count :], strict=True)
    return [Write(seq, None if stored < 0 else stored / TICKS, at / TICKS) for seq, stored, at in rows]


def merged(before: Iterable[Write], later: Iterable[Write]) -> list[Write]:
    """Both, in the order of seq: what a reader got again after a cut, it got then."""
    by_seq = {write.seq: write for write in (*before, *later) if write.seq < MOST_EVENTS}
    return [by_seq[seq] for seq in sorted(by_seq)]
