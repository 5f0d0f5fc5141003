"""What this process counts, since it started."""

from collections import Counter

counts: Counter[str] = Counter()


def started() -> None:
    """A turn began."""
    counts["turns_started"] += 1


def ended(status: str) -> None:
    """A turn ended as `status`."""
    counts[f"turns_{status}"] += 1
