"""The replay's data in the admin: events with their times, and the required permission."""

import pytest
from django.test import Client
from django.urls import reverse

from chat.admin import replay
from chat.models import AuditEntry, User, WriteTimes
from chat.protocol import events, write_times
from chat.protocol.write_times import Write
from tests.recorded import HELLO, imported, read
from tests.unit.test_admin import staff
from tests.unit.test_admin_lists import received

pytestmark = pytest.mark.django_db


def recording(client: Client, stream) -> dict:
    response = client.get(reverse("admin:chat_stream_recording", args=[stream.pk]))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response.json()


def test_it_has_every_event_with_its_time() -> None:
    said = recording(staff("view_stream", "read_texts"), imported(HELLO))
    recorded = read(HELLO).events
    assert [event["at"] for event in said["events"]] == [event.at / 1000 for event in recorded]
    assert [event["response"] for event in said["events"]] == [events.decode(event.data) for event in recorded]
    assert said["clocks"][0] == "event 0: arrived 0.6 ms"
    assert (said["end"], said["more"]) == (0, False)


def test_where_a_receipt_came_it_has_all_clocks_and_the_width_of_their_picture() -> None:
    stream = imported(HELLO)
    moments = stream.events.order_by("seq").values_list("at", flat=True)
    writes = [Write(seq, at / 1000 + 1, at / 1000 + 3) for seq, at in enumerate(moments)]
    WriteTimes.objects.create(stream=stream, packed=write_times.pack(writes))
    received(stream)
    said = recording(staff("view_stream", "read_texts"), stream)
    assert said["clocks"][0] == "event 0: arrived 0.6 ms, stored 1.6 ms, written 3.6 ms, received 7.1 ms, painted 15 ms"
    assert said["end"] > said["events"][-1]["at"]


def test_a_long_recording_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MOST_BYTES", 500)
    said = recording(staff("view_stream", "read_texts"), imported(HELLO))
    assert 0 < len(said["events"]) < 17
    assert said["more"]


def test_it_is_for_whoever_may_read_texts_and_leaves_an_audit_entry() -> None:
    stream = imported(HELLO)
    address = reverse("admin:chat_stream_recording", args=[stream.pk])
    assert staff("view_conversation").get(address).status_code == 403
    assert staff("view_stream").get(address).status_code == 403
    assert Client().get(address).status_code == 302
    assert staff("view_stream", "read_texts").get(address).status_code == 200
    assert AuditEntry.objects.filter(action=AuditEntry.Action.READ).count() == 1
    assert staff("view_stream").get(address.replace(str(stream.pk), str(stream.answer_id))).status_code == 404
    assert User.objects.filter(is_staff=True).count() == 4
