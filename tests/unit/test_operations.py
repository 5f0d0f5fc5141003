"""The operators' page: running streams, queues, open breakers, the last day's results, and sizes."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.admin import operations
from chat.metrics import Metrics, State
from chat.models import Receipt, Stream
from chat.process import this_process
from chat.protocol import events, receipt
from chat.providers.local.slots import Slots
from tests.unit.test_admin import staff
from tests.unit.test_verdicts import made

pytestmark = pytest.mark.django_db
NOW = "/admin/chat/stream/now/"


def shown(client: Client) -> str:
    response = client.get(NOW)
    assert response.status_code == 200
    return response.content.decode()


def running(worker: str, renewed: float, **changes: Any) -> Stream:
    """A stream of this worker, whose lease was renewed so many seconds ago."""
    lease = timezone.now() - timedelta(seconds=renewed)
    return made(status=events.RUNNING, worker=worker, lease_until=lease, **changes)


def failed(kind: str, **changes: Any) -> Stream:
    error = {"code": 500, "status": kind, "message": "Private words."}
    return made(**({"status": events.FAILED, "error": error} | changes))


def test_it_is_for_whoever_may_see_streams_and_tells_no_text() -> None:
    failed("INTERNAL")
    assert staff("view_conversation").get(NOW).status_code == 403
    assert Client().get(NOW).status_code == 302
    page = shown(staff("view_stream"))
    assert "INTERNAL" in page
    assert "Private words." not in page
    assert "Clouds" not in page


def test_it_is_found_from_the_admins_first_page_and_from_the_list_of_streams() -> None:
    client = staff("view_stream")
    for address in (reverse("admin:index"), reverse("admin:chat_stream_changelist")):
        assert f'href="{NOW}"' in client.get(address).content.decode()
    assert NOW not in staff("view_user").get(reverse("admin:index")).content.decode()


def test_running_streams_are_listed_with_their_worker_and_lease_the_stalest_first() -> None:
    fresh, stale = running("here:1:aa", 2), running("there:2:bb", 3_600, stop_requested_at=timezone.now())
    running("there:2:bb", 1)
    made()
    found = operations.page({})
    assert [stream.pk for stream, _, _ in found["running"]][:2] == [stale.pk, fresh.pk]
    assert len(found["running"]) == 3
    assert [(worker, streams) for worker, streams, _ in found["workers"]] == [("there:2:bb", 2), ("here:1:aa", 1)]
    page = shown(staff("view_stream"))
    assert "there:2:bb" in page
    assert re.search(r"6\d min \d+ s ago", page)
    assert page.count("(to be stopped)") == 1


def test_failures_are_counted_by_kind_and_model_with_the_newest_of_each() -> None:
    failed("UNAVAILABLE")
    newest = failed("UNAVAILABLE")
    failed("UNAVAILABLE", model="large")
    cut = made(status=events.INTERRUPTED, error=None)
    found = operations.page({})["failures"]
    told = [(each.status, each.kind, each.model, each.count) for each in found]
    assert told[0] == ("failed", "UNAVAILABLE", "local/tiny", 2)
    assert set(told[1:]) == {("failed", "UNAVAILABLE", "local/large", 1), ("interrupted", "–", "local/tiny", 1)}
    assert found[0].newest.pk == newest.pk
    assert reverse("admin:chat_stream_change", args=[cut.pk]) in shown(staff("view_stream"))


def test_models_are_told_by_use_failures_first_token_and_delivery() -> None:
    for ms in (100, 200, 300):
        stream = made(first_token_us=ms * 1_000)
        verdict = receipt.PROXY if ms == 300 else receipt.GOOD
        Receipt.objects.create(stream=stream, verdict=verdict, count=1, offset_us=0, error_us=0, packed=b"")
    failed("INTERNAL", model="large", first_token_us=None)
    tiny, large = operations.page({})["models"]
    assert (tiny.name, tiny.streams, tiny.failed, tiny.first_token) == ("local/tiny", 3, 0, "200 ms")
    assert (tiny.slow_first_token, tiny.held, tiny.received) == ("290 ms", 1, 3)
    assert (large.failed, large.first_token, large.received) == (1, "–", 0)


def test_only_the_last_day_is_looked_at_hour_by_hour_and_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    for age in (0.1, 0.2, 2.5, 23.9, 24.1):
        Stream.objects.filter(pk=made().pk).update(created_at=now - timedelta(hours=age))
    found = operations.page({})
    assert (found["looked_at"], found["is_cut"]) == (4, False)
    assert (found["hours"][-1], found["hours"][-3], found["hours"][0], sum(found["hours"])) == (2, 1, 1, 4)
    monkeypatch.setattr(operations, "LOOKED_AT", 3)
    assert (operations.page({})["looked_at"], operations.page({})["is_cut"]) == (3, True)


def test_it_shows_what_the_workers_told_the_metrics() -> None:
    metrics = Metrics()
    metrics.update(State(3, 4, 7, 2, ("a/b",), commits=10, commit_seconds=0.5, cuts=1, slots_used=1, slots=2))
    found = operations.page(metrics.standing())
    told = dict(found["facts"])
    assert (told["streams that are generated"], told["readers"], told["questions before a slot"]) == ("3", "4", "2")
    assert (told["slots of the embedded model in use"], told["events before their commit"]) == ("1 of 2", "7")
    assert (told["a commit took"], told["readers cut off"]) == ("50 ms", "1")
    assert found["resting"] == [("a/b", 1)]


def test_a_model_that_rests_no_more_is_not_listed() -> None:
    metrics = Metrics()
    metrics.update(State(0, 0, 0, 0, ("a/b",), 0, 0.0, 0))
    metrics.update(State(0, 0, 0, 0, (), 0, 0.0, 0))
    assert operations.page(metrics.standing())["resting"] == []


def test_slots_in_use_are_counted() -> None:
    slots = Slots(2)
    held = [slots.ask() for _ in range(3)]
    assert (slots.used, slots.count, slots.waiting) == (2, 2, 1)
    for slot in held:
        slot.release()
    assert (slots.used, slots.waiting) == (0, 0)


def test_a_process_tells_its_metrics_how_many_slots_there_are() -> None:
    process = this_process()
    process.update_metrics()
    assert process.metrics.standing()["slots"] == {"": process.catalogue.slots()[2]}


def test_it_tells_the_sizes_of_the_database_and_of_the_disk() -> None:
    found = dict(operations.sizes())
    assert found["database"] > 100_000
    assert found["database"] >= found["of it to be used again"] >= 0
    assert found["size of that disk"] > found["free on the data folder's disk"] > 0
    assert found["write-ahead log"] >= 0


def test_it_asks_the_same_few_questions_however_many_streams_there_are(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    client = staff("view_stream")
    running("here:1:aa", 1)
    shown(client)
    with django_assert_max_num_queries(9) as one:
        shown(client)
    for number in range(12):
        running(f"here:{number}:bb", 1)
        failed(f"KIND_{number}", model=f"model-{number}")
    with django_assert_num_queries(len(one.captured_queries)):
        shown(client)
    assert not [row["sql"] for row in one.captured_queries if "chat_event" in row["sql"]]
