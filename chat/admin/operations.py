"""The operators' page: running streams, open breakers, queues, the last day's results, and the size of the database.

    running, workers ── the rows of running streams, of all machines
    gauges ──────────── the metrics of this machine's workers, a few seconds old
    recent ──────────── the newest streams of a day: their statuses, by model, kind of failure and hour
    sizes ───────────── the database and the disk

The page does not poll. It never reads the log's events, so its time does not depend on how much is stored.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from chat.models import Stream
from chat.protocol import events, receipt, timing

SHOWN = 50
"""The most running streams, workers, models and kinds of failure that are listed."""
LOOKED_AT = 5_000
HOURS = 24


class Row(NamedTuple):
    """The columns that are read of each of the newest streams; `kind` is the error's status."""

    pk: UUID
    created_at: datetime
    provider: str
    model: str
    status: str
    kind: str | None
    first_token_us: int | None
    delivery: str | None

    @property
    def model_id(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"


def page(gauges: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return the template's context."""
    now = timezone.now()
    newest = recent(now)
    return {
        "running": [(stream, _since(now, stream.created_at), _lease(now, stream.lease_until)) for stream in running()],
        "workers": [(row["worker"], row["streams"], _lease(now, row["oldest"])) for row in workers()],
        "facts": facts(gauges),
        "resting": sorted((name, round(count)) for name, count in gauges.get("model_resting", {}).items() if count),
        "models": models(newest),
        "failures": failures(newest),
        "hours": hours(newest, now),
        "looked_at": len(newest),
        "is_cut": len(newest) == LOOKED_AT,
        "sizes": sizes(),
    }


def running() -> QuerySet[Stream]:
    """Return the running streams whose leases were renewed least recently, at most `SHOWN`."""
    found = Stream.objects.filter(status=events.RUNNING).select_related("user").defer("request")
    return found.order_by("lease_until")[:SHOWN]


def workers() -> Sequence[dict[str, Any]]:
    """Return each worker with the number of its running streams, and the oldest renewal of their leases."""
    found = Stream.objects.filter(status=events.RUNNING).order_by().values("worker")
    return list(found.annotate(streams=Count("pk"), oldest=Min("lease_until")).order_by("oldest")[:SHOWN])


def recent(now: datetime) -> list[Row]:
    """Return the streams of the last `HOURS`, the newest first, at most `LOOKED_AT`."""
    found = Stream.objects.filter(created_at__gt=now - timedelta(hours=HOURS)).order_by("-created_at")
    names = ("pk", "created_at", "provider", "model", "status", "error__status", "first_token_us", "receipt__verdict")
    return [Row(*row) for row in found.values_list(*names)[:LOOKED_AT]]


@dataclass(frozen=True, slots=True)
class OfModel:
    """A model's results: streams, failed ones, median and 95th percentile of the time to the first token, receipts, and
    receipts of buffered streams."""

    name: str
    streams: int
    failed: int
    first_token: str
    slow_first_token: str
    received: int
    held: int


def models(rows: Sequence[Row]) -> list[OfModel]:
    """Return the results of each model, the most used first."""
    by_model: dict[str, list[Row]] = {}
    for row in rows:
        by_model.setdefault(row.model_id, []).append(row)
    return [_of_model(name, by_model[name]) for name in sorted(by_model, key=lambda name: -len(by_model[name]))[:SHOWN]]


def _of_model(name: str, rows: Sequence[Row]) -> OfModel:
    firsts = [row.first_token_us for row in rows if row.first_token_us is not None]
    cuts = quantiles(firsts, n=20, method="inclusive") if len(firsts) > 1 else firsts * 19
    return OfModel(
        name,
        len(rows),
        sum(row.status in (events.FAILED, events.INTERRUPTED) for row in rows),
        timing.words(round(cuts[9]) if cuts else None),
        timing.words(round(cuts[18]) if cuts else None),
        sum(row.delivery is not None for row in rows),
        sum(row.delivery == receipt.PROXY for row in rows),
    )


@dataclass(frozen=True, slots=True)
class Failure:
    """The failed streams of one status, kind of error and model: their number, and the newest one."""

    status: str
    kind: str
    model: str
    count: int
    newest: Row


def failures(rows: Sequence[Row]) -> list[Failure]:
    """Group failed and interrupted streams by kind of error and model, the most frequent first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    newest: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        if row.status in (events.FAILED, events.INTERRUPTED):
            key = (row.status, row.kind or "–", row.model_id)
            counts[key] += 1
            newest.setdefault(key, row)
    return [Failure(*key, count, newest[key]) for key, count in counts.most_common(SHOWN)]


def hours(rows: Sequence[Row], now: datetime) -> list[int]:
    """Return the number of streams that began in each of the last `HOURS`, the oldest first."""
    counts = [0] * HOURS
    for row in rows:
        counts[max(HOURS - 1 - int((now - row.created_at).total_seconds() // 3600), 0)] += 1
    return counts


GAUGES = (
    ("streams that are generated", "streams_running"),
    ("readers", "readers"),
    ("questions before a slot", "slot_queue"),
    ("events before their commit", "commit_queue"),
    ("turns of dead workers that went on", "streams_taken_up"),
    ("streams of lost workers that ended", "leases_lapsed"),
    ("readers cut off", "readers_cut"),
)


def facts(gauges: dict[str, dict[str, float]]) -> list[tuple[str, str]]:
    """Return the metrics of this machine's workers as (label, value): current values, or counts since their start."""
    told = {name: round(sum(values.values())) for name, values in gauges.items()}
    said = [(label, f"{told.get(name, 0):,}") for label, name in GAUGES]
    said.append(("slots of the embedded model in use", f"{told.get('slots_used', 0)} of {told.get('slots', 0)}"))
    seconds, commits = sum(gauges.get("commit_seconds", {}).values()), told.get("commits", 0)
    return [*said, ("a commit took", timing.words(round(seconds / commits * 1e6) if commits else None))]


def sizes() -> list[tuple[str, int]]:
    """Return the sizes of the database, and of the data folder's disk and its free space, in bytes."""
    disk = shutil.disk_usage(settings.DATA_DIR)
    return [*_database(), ("free on the data folder's disk", disk.free), ("size of that disk", disk.total)]


def _database() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT pg_database_size(current_database())")
            return [("database", cursor.fetchone()[0])]
        cursor.execute(
            "SELECT page_count * page_size, freelist_count * page_size "
            "FROM pragma_page_count(), pragma_page_size(), pragma_freelist_count()"
        )
        whole, unused = cursor.fetchone()
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    written = log.stat().st_size if log.is_file() else 0
    return [("database", whole), ("of it to be used again", unused), ("write-ahead log", written)]


def _since(now: datetime, then: datetime) -> str:
    return timing.words(max(round((now - then) / timedelta(microseconds=1)), 0))


def _lease(now: datetime, renewed: datetime | None) -> str:
    return "never" if renewed is None else f"{_since(now, renewed)} ago"
