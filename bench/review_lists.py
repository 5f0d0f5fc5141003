"""`DATABASE_URL=… python -m bench.review_lists`: how long each list of the review takes with many streams.

Fills an empty, migrated database (SQLite in a folder of its own, where none is named) with one question and answer a
conversation, then asks for each list as a superuser, some of them searched and filtered, also for what is rare or is
not there at all. Each is asked three times in this process, without a server; printed are the first and the fastest, in
ms. `--streams` says how many.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

ROWS_AT_ONCE = 2_000
USERS = 1_000
TARGET_MS = 300

LISTS = [
    "stream/",
    "stream/?q=harbour",
    "stream/?q=nothing-is-called-so",
    "stream/?q=user-77",
    "stream/?status__exact=failed",
    "stream/?status__exact=interrupted",
    "stream/?receipt__verdict=proxy",
    "stream/?model=rare",
    "stream/?model=never-used",
    "stream/?user=user-77&status__exact=failed",
    "stream/?user__is_guest__exact=0",
    "conversation/",
    "conversation/?q=harbour",
    "conversation/?q=lighthouse",
    "conversation/?q=because",
    "conversation/?q=nothing-is-called-so",
    "conversation/?feedback=down",
    "conversation/?user=user-77",
    "conversation/?streams__status__exact=failed",
    "conversation/?streams__model=rare",
    "conversation/?streams__model=never-used",
    "verdict/",
    "verdict/?kind=failed",
    "verdict/?kind=interrupted",
    "verdict/?kind=disliked",
    "verdict/?kind=slow",
    "verdict/?kind=buffered",
    "verdict/?kind=flagged",
    "verdict/?kind=new&model=rare",
    "auditentry/",
    "auditentry/?q=user-77",
    "user/",
    "user/?q=user-77",
    "modeluse/",
    "stream/now/",
]


def one_in(number: int, often: int) -> bool:
    """Whether the row of this number is one of those that come once in so many."""
    return number % often == often - 1


def batches(count: int) -> Iterator[range]:
    """The numbers from 0 to `count`, so many at once as are stored together."""
    for first in range(0, count, ROWS_AT_ONCE):
        yield range(first, min(first + ROWS_AT_ONCE, count))


def fill(streams: int) -> None:
    """Store the users, conversations, messages, streams, receipts, thumbs and lines of the audit log."""
    from django.utils import timezone

    from chat.models import AuditEntry, User

    users = User.objects.bulk_create(User(username=f"user-{each}", is_guest=each % 3 > 0) for each in range(USERS))
    now = timezone.now()
    for numbers in batches(streams):
        _answers(users, [now - timedelta(seconds=streams - each) for each in numbers], numbers)
        AuditEntry.objects.bulk_create(
            AuditEntry(name=users[each % USERS].username, action="read", target=str(each), address="192.0.2.7")
            for each in numbers
        )


def _answers(users: list[Any], times: list[Any], numbers: range) -> None:
    from chat.models import Conversation, Feedback, Message, Receipt, Stream
    from chat.protocol import events, receipt

    talks = [Conversation(user=users[each % USERS], title=f"Clouds over {each}") for each in numbers]
    for talk, each in zip(talks, numbers, strict=True):
        if one_in(each, 5_000):
            talk.title = f"A harbour at night, {each}"
    Conversation.objects.bulk_create(talks)
    asked = [_message(talk, each, None) for talk, each in zip(talks, numbers, strict=True)]
    answered = [_message(talk, each, before) for talk, each, before in zip(talks, numbers, asked, strict=True)]
    Message.objects.bulk_create(asked)
    Message.objects.bulk_create(answered)
    made = []
    for talk, answer, each, at in zip(talks, answered, numbers, times, strict=True):
        status = events.FAILED if one_in(each, 200) else events.INTERRUPTED if one_in(each, 777) else events.COMPLETE
        made.append(
            Stream(
                user=talk.user, conversation=talk, answer=answer, provider="local", status=status, created_at=at,
                model="rare" if one_in(each, 10_000) else f"model-{each % 5}", ended_at=at + timedelta(seconds=3),
                request={"contents": [{"parts": [{"text": "Why?"}]}]}, usage={"candidatesTokenCount": 200},
                last_seq=200, first_token_us=6_000_000 if one_in(each, 1_000) else 300_000,
                error={"code": 503, "status": "UNAVAILABLE", "message": "No."} if status != events.COMPLETE else None,
            )
        )  # fmt: skip
    Stream.objects.bulk_create(made)
    sizes = {"count": 200, "offset_us": 0, "error_us": 0, "packed": b""}
    Receipt.objects.bulk_create(
        Receipt(stream=stream, verdict=receipt.PROXY if one_in(each, 2_000) else receipt.GOOD, **sizes)
        for stream, each in zip(made, numbers, strict=True)
    )
    Feedback.objects.bulk_create(
        Feedback(message=answer, value=Feedback.DOWN)
        for answer, each in zip(answered, numbers, strict=True)
        if one_in(each, 3_000)
    )


def _message(talk: Any, number: int, before: Any) -> Any:
    from chat.models import Message

    text = "Why is the sky blue?" if before is None else "Because of the air. " * 30
    if before is not None and one_in(number, 5_000):
        text += "And there stands a lighthouse."
    role, place = (Message.USER, 0) if before is None else (Message.MODEL, 1)
    return Message(conversation=talk, parent=before, role=role, parts=[{"text": text}], position=place)


def measure() -> bool:
    """Ask for each list; whether all came within the target."""
    from django.test import Client

    from chat.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    client.get("/admin/", SERVER_NAME="localhost")  # the first page of a process imports templates and filters
    slow = False
    for each in LISTS:
        took = []
        for _ in range(3):
            began = time.perf_counter()
            response = client.get(f"/admin/chat/{each}", SERVER_NAME="localhost")
            took.append((time.perf_counter() - began) * 1000)
            assert response.status_code == 200, (each, response.status_code)
        slow |= took[0] > TARGET_MS
        print(f"{took[0]:7.0f} {min(took):7.0f}  {each}")
    return not slow


def main() -> int:
    """1 when a list took longer than `TARGET_MS`."""
    parser = argparse.ArgumentParser(prog="python -m bench.review_lists")
    parser.add_argument("--streams", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update({"DEBUG": "1", "WONDERCAM_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "wondercam.settings"})
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connection

        settings.DEBUG = False  # which would keep every statement
        call_command("migrate", verbosity=0)
        began = time.perf_counter()
        fill(given.streams)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        print(f"{given.streams:,} streams in {connection.vendor}, stored in {time.perf_counter() - began:.0f} s")
        print("  first fastest  (ms)")
        good = measure()
        connection.close()
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
