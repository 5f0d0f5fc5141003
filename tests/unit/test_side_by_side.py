"""Two streams side by side in the admin: texts, times, and the first difference."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat import review
from chat.admin import comparison
from chat.management.commands.rerun_stream import link
from chat.models import AuditEntry, Stream, User
from chat.protocol import events
from chat.protocol.answer import same_beginning
from tests.recorded import HELLO, LONG, imported
from tests.unit.test_admin import answer, ask, staff

pytestmark = pytest.mark.django_db
READ = ("view_stream", "read_texts")


def address(one: Stream, other: Stream) -> str:
    return reverse("admin:chat_stream_beside", args=[one.pk, other.pk])


def pair(first: str = "The sky is blue. ", second: str = "The sky is grey. ") -> tuple[Stream, Stream]:
    """Two answers of two models to one question."""
    owner = User.objects.create(username="ana")
    question = ask(owner.conversations.create(title="Clouds"))
    made = [answer(question, text, pieces=1, model=model) for text, model in ((first, "tiny"), (second, "large"))]
    return made[0].stream, made[1].stream


def shown(client: Client, one: Stream, other: Stream) -> str:
    response = client.get(address(one, other))
    assert response.status_code == 200
    return response.content.decode()


def test_both_answers_are_shown_with_what_differs_marked() -> None:
    page = shown(staff(*READ), *pair())
    assert "The answers differ after 11 characters." in page
    assert "The sky is <mark>blue. </mark>" in page
    assert "The sky is <mark>grey. </mark>" in page
    assert "Both were asked the same." in page
    assert page.index("local/tiny") < page.index("local/large")
    assert page.count('class="replay"') == 2
    assert page.count("<dt>first token</dt><dd>100 ms</dd>") == 2


def test_the_same_answers_are_said_to_be_the_same() -> None:
    page = shown(staff(*READ), *pair("Yes. ", "Yes. "))
    assert "The answers are the same." in page
    assert "<mark>" not in page


def test_one_that_goes_on_where_the_other_ends_parts_there() -> None:
    page = shown(staff(*READ), *pair("Yes", "Yes, it is."))
    assert "differ after 3 characters" in page
    assert page.count("<mark>") == 1


def test_both_flows_have_one_scale_of_time() -> None:
    short, long = imported(HELLO), imported(LONG)
    of_short, of_long = comparison.page([short, long], [True, True])["sides"]
    ends = [review.measured(stream)[1][-1] for stream in (short, long)]
    assert ends[0] != ends[1]
    last_of = [side.bars[-1][0] // 10 for side in (of_short, of_long)]
    assert last_of == [min(review.BINS - 1, end * review.BINS // max(ends)) for end in ends]


def test_what_was_not_asked_the_same_is_said() -> None:
    assert "They were not asked the same" in shown(staff(*READ), imported(HELLO), imported(LONG))


def test_without_the_permission_no_text_is_shown() -> None:
    page = shown(staff("view_stream"), *pair("Zebra 1", "Zebra 22"))
    assert "Zebra" not in page
    assert "Clouds" not in page
    assert "[text, 7 characters]" in page
    assert "[text, 8 characters]" in page
    assert 'class="replay"' not in page


def test_it_is_for_whoever_may_see_streams_and_both_reads_are_written_down() -> None:
    one, other = pair()
    assert staff("view_conversation").get(address(one, other)).status_code == 403
    assert Client().get(address(one, other)).status_code == 302
    shown(staff(*READ), one, other)
    targets = AuditEntry.objects.order_by("pk").values_list("target", flat=True)
    assert list(targets) == [f"stream {stream.pk} of ana" for stream in (one, other)]
    unknown = Stream(pk=one.conversation_id)
    assert staff(*READ).get(address(one, unknown)).status_code == 404


def test_a_streams_page_leads_to_other_answers_and_to_any_stream() -> None:
    one, other = pair()
    client, page = staff(*READ), reverse("admin:chat_stream_change", args=[one.pk])
    assert f'href="{address(one, other)}"' in client.get(page).content.decode()
    far = imported(HELLO)
    choose = reverse("admin:chat_stream_choose", args=[one.pk])
    assert client.get(choose, {"other": f" {far.pk} "})["Location"] == address(one, far)
    refused = client.get(choose, {"other": "…4a5f"}, follow=True)
    assert refused.redirect_chain == [(page, 302)]
    assert "not a stream&#x27;s id" in refused.content.decode()


def test_a_running_stream_stands_beside_an_ended_one() -> None:
    one, _ = pair()
    running = answer(one.answer.parent, status=events.RUNNING).stream
    page = shown(staff(*READ), one, running)
    assert 'class="status status-running"' in page


def test_stored_text_stays_text() -> None:
    page = shown(staff(*READ), *pair('"><svg onload=alert(1)>', "<script>alert(1)</script>"))
    assert "<svg onload" not in page
    assert "<script>alert" not in page


def test_it_asks_the_same_number_of_questions_for_short_and_long(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client, one, other = staff(*READ), *pair()
    shown(client, one, other)
    with django_assert_max_num_queries(12) as asked:
        shown(client, one, other)
    count, long = len(asked.captured_queries), imported(LONG)
    shown(client, one, long)
    with django_assert_num_queries(count):
        shown(client, one, long)


def test_rerun_stream_names_the_page_where_both_are_stored() -> None:
    one, other = pair()
    assert link(str(one.pk), str(other.pk)) == address(one, other)
    assert link(str(one.pk), str(one.conversation_id)) == ""
    assert link("None", str(other.pk)) == ""


@pytest.mark.parametrize(
    ("one", "other", "same"), [("", "", 0), ("abc", "abd", 2), ("ab", "abc", 2), ("x", "y", 0), ("雨雲", "雨", 1)]
)
def test_the_common_beginning_of_two_texts_is_counted_in_characters(one: str, other: str, same: int) -> None:
    assert same_beginning(one, other) == same_beginning(other, one) == same
