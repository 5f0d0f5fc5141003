"""The UTC day that budgets count."""

from datetime import datetime, timedelta


def day_of(now: datetime) -> str:
    """Return the date in ISO format, which both databases take."""
    return now.date().isoformat()


def seconds_of_day_left(now: datetime) -> int:
    """Return the seconds to midnight, rounded up."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return -((now - midnight) // timedelta(seconds=1))


def in_words(seconds: int) -> str:
    """Return `5 h 12 min` or `12 min`, rounded up to minutes."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
