"""When a stream's events were committed, and when they were written to the socket of the asking reader. No I/O.

Both are in ms since the stream began, on the server's clock: they lie between an event's `at`, when it arrived from the
provider, and its `received` in a receipt.
"""

import zlib
from array import array
from collections.abc import Iterable
from typing import NamedTuple

TICKS = 10
"""Ticks per ms: times are stored as whole tenths of a ms."""

MOST_EVENTS = 5_000
"""The most events of a stream whose times are stored; also the most of a receipt."""

UNKNOWN = -1


class Write(NamedTuple):
    """The times of one event. `stored` is None if another process committed it."""

    seq: int
    stored: float | None
    written: float


def pack(writes: Iterable[Write]) -> bytes:
    """The times in compact form for the database; `unpack` is its inverse, to a tenth of a ms."""
    columns = list(zip(*writes, strict=True)) or [(), (), ()]
    return pack_columns(*columns)


def pack_columns(seqs: Iterable[int], stored: Iterable[float | None], written: Iterable[float]) -> bytes:
    """`pack` for times that are recorded as three columns."""
    columns = (
        array("i", seqs),
        array("i", [UNKNOWN if at is None else int(at * TICKS + 0.5) for at in stored]),
        array("i", [int(at * TICKS + 0.5) for at in written]),
    )
    return zlib.compress(b"".join([column.tobytes() for column in columns]), 1)


def unpack(packed: bytes) -> list[Write]:
    """The inverse of `pack`."""
    ticks = array("i", zlib.decompress(packed))
    count = len(ticks) // 3
    rows = zip(ticks[:count], ticks[count : 2 * count], ticks[2 * count :], strict=True)
    return [Write(seq, None if stored < 0 else stored / TICKS, at / TICKS) for seq, stored, at in rows]


def merged(before: Iterable[Write], later: Iterable[Write]) -> list[Write]:
    """Both in order of seq; for an event that was sent again after a cut, the later time counts."""
    by_seq = {write.seq: write for write in (*before, *later) if write.seq < MOST_EVENTS}
    return [by_seq[seq] for seq in sorted(by_seq)]
