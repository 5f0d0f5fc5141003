"""The admin's lists: rows can be told apart, show the delivery of turns, and are bounded."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat.models import Receipt, Stream, User, WriteTimes
from chat.protocol import receipt, write_times
from chat.protocol.receipt import Arrival
from chat.protocol.write_times import Write
from tests.recorded import HELLO, LONG, imported

pytestmark = pytest.mark.django_db
STREAMS = "admin:chat_stream_changelist"


@pytest.fixture
def chief() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


def received(stream: Stream, verdict: str = receipt.GOOD) -> None:
    """A receipt for the stream."""
    moments = stream.events.order_by("seq").values_list("at", flat=True)
    arrivals = [Arrival(seq, at / 1000 + 10, at / 1000 + 18) for seq, at in enumerate(moments)]
    kept = {"count": len(arrivals), "offset_us": 5_000, "error_us": 5_000, "packed": receipt.pack(arrivals)}
    Receipt.objects.create(stream=stream, verdict=verdict, **kept)


def page(client: Client, name: str, query: str = "") -> str:
    return client.get(reverse(name) + query).content.decode()


def test_ids_are_told_apart_by_their_end(chief: Client) -> None:
    made = imported(HELLO)
    assert f"…{str(made.pk)[-12:]}" in page(chief, STREAMS)


def test_streams_are_found_by_how_they_reached_their_readers(chief: Client) -> None:
    held, good = imported(LONG), imported(HELLO)
    received(held, receipt.PROXY)
    received(good)
    found = page(chief, STREAMS, "?receipt__verdict=proxy")
    assert str(held.pk)[-12:] in found
    assert str(good.pk)[-12:] not in found


def test_a_streams_page_draws_its_events_ways(chief: Client) -> None:
    made = imported(HELLO)
    address = reverse("admin:chat_stream_change", args=[made.pk])
    assert 'class="flow ways"' not in chief.get(address).content.decode()
    received(made)
    shown = chief.get(address).content.decode()
    assert shown.count('class="downlink"') == shown.count('class="paint"') == 17
    assert "event 0: arrived 0.6 ms, received 5.6 ms, painted 14 ms" in shown
    assert "good; uplink 5.0 ms ± 5.0 ms" in shown


def test_a_streams_page_tells_the_servers_own_hops(chief: Client) -> None:
    made = imported(HELLO)
    moments = made.events.order_by("seq").values_list("at", flat=True)
    writes = [Write(seq, at / 1000 + 1, at / 1000 + 3) for seq, at in enumerate(moments)]
    WriteTimes.objects.create(stream=made, packed=write_times.pack(writes))
    received(made)
    shown = chief.get(reverse("admin:chat_stream_change", args=[made.pk])).content.decode()
    assert "event 0: arrived 0.6 ms, stored 1.6 ms, written 3.6 ms, received 7.1 ms, painted 15 ms" in shown
    assert shown.count('class="server"') == 17


@pytest.mark.parametrize("name", [STREAMS, "admin:chat_conversation_changelist"])
@pytest.mark.parametrize("query", ["", "?model=smollm2-135m", "?streams__model=smollm2-135m"])
def test_no_list_counts_or_compares_all_rows(chief: Client, name: str, query: str) -> None:
    imported(HELLO)
    with CaptureQueriesContext(connection) as asked:
        chief.get(reverse(name) + query)
    statements = [row["sql"] for row in asked.captured_queries if "chat_" in row["sql"]]
    assert [sql for sql in statements if "DISTINCT" in sql] == []
    assert [sql for sql in statements if sql.startswith("SELECT COUNT(*)") and "LIMIT" not in sql] == []


def test_a_search_looks_through_the_texts_once(chief: Client) -> None:
    """With 100,000 streams on PostgreSQL each pass takes 0.1 to 0.5 s."""
    imported(HELLO)
    with CaptureQueriesContext(connection) as made:
        page(chief, "admin:chat_conversation_changelist", "?q=hello")
    assert sum('"chat_message"."parts"' in query["sql"] and "LIKE" in query["sql"] for query in made) == 1
