"""Saved filters of the admin's lists and of the queue."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Receipt, SavedFilter, Stream, User
from chat.models.saved_filters import MOST
from chat.protocol import events, receipt
from tests.unit.test_admin import answer, ask, staff
from tests.unit.test_verdicts import QUEUE, made, reviewer, signed_in

pytestmark = pytest.mark.django_db
STREAMS = "/admin/chat/stream/"
SAVE = "/admin/chat/verdict/filters/"


def save(client: Client, name: str, query: str, shown_on: str = "stream") -> str:
    """Where the list's form leads."""
    response = client.post(SAVE, {"name": name, "query": query, "shown_on": shown_on})
    assert response.status_code == 302
    address: str = response["Location"]
    return address


def links(client: Client, address: str) -> dict[str, str]:
    """The saved filters that a list offers: name → address."""
    page = client.get(address).content.decode()
    group = page[page.index('class="saved-filters"') :].partition("</div>")[0]
    return {name: query.replace("&amp;", "&") for query, name in re.findall(r'<a href="\?(.*?)"[^>]*>(.*?)</a>', group)}


@pytest.mark.parametrize(
    ("shown_on", "query"),
    [("stream", "status__exact=failed&q=tiny"), ("conversation", "feedback=down"), ("verdict", "kind=failed&user=3")],
)
def test_a_narrowed_list_is_saved_under_a_name_and_stands_at_its_top(shown_on: str, query: str) -> None:
    client = signed_in(reviewer())
    address = reverse(f"admin:chat_{shown_on}_changelist")
    assert "Save the filter" not in client.get(address).content.decode()
    assert "Save the filter" in client.get(f"{address}?{query}").content.decode()
    assert save(client, "Mine", query, shown_on) == f"{address}?{query}"
    assert links(client, address) == {"Mine": query}
    assert (
        f'href="?{query.replace("&", "&amp;")}" aria-current="page">Mine'
        in client.get(f"{address}?{query}").content.decode()
    )


def test_it_narrows_the_list_as_before() -> None:
    client = signed_in(reviewer())
    failed, whole = made(status=events.FAILED), made()
    save(client, "Failed", "status__exact=failed")
    page = client.get(f"{STREAMS}?{links(client, STREAMS)['Failed']}").content.decode()
    assert (str(failed.pk)[-12:] in page, str(whole.pk)[-12:] in page) == (True, False)


def test_a_name_that_is_saved_again_means_what_was_shown_last() -> None:
    client = signed_in(reviewer())
    save(client, "Mine", "model=a")
    save(client, "Mine", "model=b")
    assert links(client, STREAMS) == {"Mine": "model=b"}


def test_each_reviewer_has_filters_of_their_own() -> None:
    rea, otto = reviewer(), reviewer("otto")
    save(signed_in(rea), "Mine", "model=a")
    kept = SavedFilter.objects.get()
    assert links(signed_in(otto), STREAMS) == {}
    delete = reverse("admin:chat_filter_delete", args=[kept.pk])
    assert signed_in(otto).post(delete).status_code == 404
    assert signed_in(rea).get(delete).status_code == 405
    assert signed_in(rea).post(delete)["Location"] == STREAMS
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("Mine", "", "There is no filter to save|This field is required"),
        ("Mine", "p=2&e=1&user=", "Narrow the list first"),
        ("", "model=a", "This field is required"),
        ("x" * 61, "model=a", "at most 60 characters"),
        ("Mine", "q=" + "x" * 1_000, "at most 1000 characters"),
    ],
)
def test_what_cannot_be_saved_is_said_on_the_list(name: str, query: str, said: str) -> None:
    client = signed_in(reviewer())
    page = client.post(SAVE, {"name": name, "query": query, "shown_on": "stream"}, follow=True).content.decode()
    assert re.search(said, page)
    assert not SavedFilter.objects.exists()


def test_a_reviewer_has_a_bounded_number_of_them() -> None:
    rea = reviewer()
    rows = (SavedFilter(reviewer=rea, shown_on="stream", name=str(number), query="model=a") for number in range(MOST))
    SavedFilter.objects.bulk_create(rows)
    form = {"name": "one more", "query": "model=a", "shown_on": "stream"}
    assert "delete one first" in signed_in(rea).post(SAVE, form, follow=True).content.decode()
    save(signed_in(rea), "1", "model=b")
    assert SavedFilter.objects.get(name="1").query == "model=b"
    assert SavedFilter.objects.count() == MOST


def test_only_the_page_of_the_same_list_is_led_back_to_and_only_whom_it_is_for() -> None:
    client = staff("view_stream")
    assert save(client, "Mine", "next=//evil.example/&model=a").startswith(f"{STREAMS}?")
    for shown_on in ("verdict", "conversation", "user", "//evil.example"):
        form = {"name": "Mine", "query": "model=a", "shown_on": shown_on}
        assert client.post(SAVE, form).status_code == 403
    assert Client().post(SAVE, {}).status_code == 302
    assert not SavedFilter.objects.exclude(shown_on="stream").exists()


def test_a_name_is_shown_as_text() -> None:
    client = signed_in(reviewer())
    save(client, '"><svg onload=alert(1)>', 'q="><svg onload=alert(2)>')
    assert "<svg onload" not in client.get(STREAMS).content.decode()


# The queue, narrowed


def shown(client: Client, query: str) -> set[str]:
    """The ends of the ids in the queue."""
    return set(re.findall(r"…([0-9a-f]{12})<", client.get(f"{reverse(QUEUE)}?{query}").content.decode()))


def end_of(stream: Stream) -> str:
    return str(stream.pk)[-12:]


def test_the_queue_is_narrowed_by_user_model_status_and_delivery() -> None:
    client = signed_in(reviewer())
    plain = made()
    other = answer(ask(User.objects.create(username="ben").conversations.create()), model="large").stream
    failed = made(status=events.FAILED)
    Receipt.objects.create(stream=plain, verdict=receipt.READER, count=1, offset_us=0, error_us=0, packed=b"")
    assert shown(client, "") == {end_of(plain), end_of(other), end_of(failed)}
    assert shown(client, "model=large") == shown(client, f"user={other.user_id}") == {end_of(other)}
    assert shown(client, "status__exact=failed") == shown(client, "kind=failed&user=") == {end_of(failed)}
    assert shown(client, "receipt__verdict=reader") == {end_of(plain)}
    assert shown(client, "kind=failed&model=large") == set()


@pytest.mark.parametrize("user", ["x", "²", "-1", "9" * 30])
@pytest.mark.parametrize("address", ["/admin/chat/verdict/", STREAMS, "/admin/chat/conversation/"])
def test_a_user_who_is_none_is_nobody(user: str, address: str) -> None:
    stream = made()
    response = signed_in(reviewer()).get(address, {"user": user})
    page = response.content.decode()
    assert response.status_code == 200
    assert end_of(stream) not in page
    assert f"conversation/{stream.conversation_id}" not in page


def test_a_reviewer_stays_in_the_narrowed_queue_from_answer_to_answer() -> None:
    client = signed_in(reviewer())
    old, other, new = made(model="large"), made(), made(model="large")
    query = "kind=new&model=large"
    first = reverse("admin:chat_verdict_session", args=[new.pk])
    second = reverse("admin:chat_verdict_session", args=[old.pk])
    page = client.get(f"{first}?{query}").content.decode()
    assert f'href="{second}?kind=new&amp;model=large" rel="next"' in page
    assert f"{reverse(QUEUE)}?kind=new&amp;model=large" in page
    assert str(other.pk) not in page
    assert client.post(f"{first}?{query}", {"score": "4"})["Location"] == f"{second}?{query}"
    assert 'href="?kind=failed&amp;model=large"' in client.get(f"{reverse(QUEUE)}?{query}").content.decode()
