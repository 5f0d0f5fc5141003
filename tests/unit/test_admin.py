"""The admin: staff read conversations and streams, nobody changes them, and stored text is never markup."""

import re
import uuid
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import review
from chat.models import Attachment, Conversation, Event, Message, Stream, User
from chat.protocol import events

ROOT = Path(__file__).resolve().parent.parent.parent
NASTY = '"><svg onload=alert(1)> <script>alert(1)</script> {{ 7|add:7 }}'

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return User.objects.create(username="ana")


@pytest.fixture
def conversation(ana):
    return Conversation.objects.create(user=ana, title="Clouds")


def staff(*permissions):
    """A signed-in client of a member of staff with these permissions."""
    user = User.objects.create(username=f"staff-{uuid.uuid4().hex[:6]}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reviewer():
    return staff("view_conversation", "view_stream", "read_texts")


@pytest.fixture
def chief():
    User.objects.create_superuser("chief", password="x")
    client = Client()
    client.login(username="chief", password="x")
    return client


def ask(conversation, text="Why?", parent=None):
    """A user's message."""
    place = conversation.messages.count()
    said = {"role": Message.USER, "parts": [{"text": text}], "position": place}
    return Message.objects.create(conversation=conversation, parent=parent, **said)


def answer(question, text="Because.", status=events.COMPLETE, model="tiny", pieces=2, error=None):
    """A model's message with its stream: `pieces` events of text from 100 ms on, one every 10 ms."""
    conversation, running = question.conversation, status == events.RUNNING
    parts = [] if running else [{"text": text * pieces}]
    said = {"role": Message.MODEL, "parts": parts, "position": conversation.messages.count()}
    message = Message.objects.create(conversation=conversation, parent=question, **said)
    made = Stream.objects.create(
        user=conversation.user, conversation=conversation, answer=message, provider="local", model=model,
        request={"contents": [{"parts": question.parts}]}, status=status, error=error,
        usage={"candidatesTokenCount": pieces}, created_at=timezone.now(), ended_at=None if running else timezone.now(),
        last_seq=0 if running else pieces + 1, first_token_us=None if running else 100_000,
    )  # fmt: skip
    delta, last = events.encode(events.delta(text)), events.encode(events.finish("STOP"))
    rows = [(made.pk, 0, 700, events.OK_DATA)]
    rows += [(made.pk, seq, 90_000 + seq * 10_000, delta) for seq in range(1, pieces + 1)]
    rows += [] if running else [(made.pk, pieces + 1, 100_000 + pieces * 10_000, last)]
    Event.objects.bulk_create(Event(stream_id=key, seq=seq, at=at, data=data) for key, seq, at, data in rows)
    return message


def page_of(client, row):
    """The text of a row's page."""
    kind = type(row).__name__.lower()
    response = client.get(reverse(f"admin:chat_{kind}_change", args=[row.pk]))
    assert response.status_code == 200
    return response.content.decode()


def listed(client, kind, query=""):
    """The primary keys in a list."""
    response = client.get(reverse(f"admin:chat_{kind}_changelist") + query)
    assert response.status_code == 200, response
    return {row.pk for row in response.context["cl"].result_list}


# Who may look


@pytest.mark.parametrize("kind", ["conversation", "stream"])
def test_without_the_view_permission_staff_get_403(kind, conversation):
    row = conversation if kind == "conversation" else answer(ask(conversation)).stream
    client = staff("view_user")
    assert client.get(reverse(f"admin:chat_{kind}_changelist")).status_code == 403
    assert client.get(reverse(f"admin:chat_{kind}_change", args=[row.pk])).status_code == 403


def test_who_is_not_staff_is_sent_to_the_sign_in(client, ana, conversation):
    client.force_login(ana)
    response = client.get(reverse("admin:chat_conversation_change", args=[conversation.pk]))
    assert response.status_code == 302
    assert "/login/" in response.url


@pytest.mark.parametrize("kind", ["conversation", "stream"])
def test_even_a_superuser_cannot_add_change_or_delete(chief, conversation, kind):
    row = conversation if kind == "conversation" else answer(ask(conversation)).stream
    change = reverse(f"admin:chat_{kind}_change", args=[row.pk])
    assert chief.get(reverse(f"admin:chat_{kind}_add")).status_code == 403
    assert chief.post(reverse(f"admin:chat_{kind}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    chief.post(change, {"title": "Changed", "status": "failed"})
    chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    chief.post(reverse(f"admin:chat_{kind}_changelist"), chosen)
    row.refresh_from_db()
    assert getattr(row, "title", "Clouds") == "Clouds"
    assert getattr(row, "status", events.COMPLETE) == events.COMPLETE


@pytest.mark.parametrize("wrong", ["nonsense", str(uuid.UUID(int=1)), "%00"])
@pytest.mark.parametrize("kind", ["conversation", "stream"])
def test_an_unknown_id_is_a_404(reviewer, kind, wrong):
    assert reviewer.get(f"/admin/chat/{kind}/{wrong}/change/").status_code == 404


def test_nobodys_refresh_tokens_are_on_show(chief):
    assert "token_blacklist" not in chief.get(reverse("admin:index")).content.decode()


# What the pages say


def test_a_transcript_has_every_version_in_the_trees_order(reviewer, conversation):
    first = ask(conversation, "first question")
    again = answer(first, "first answer")
    answer(first, "second answer")
    follow_up = ask(conversation, "follow-up to the first answer", parent=again)
    answer(follow_up, "last answer")
    page = page_of(reviewer, conversation)
    order = ["first question", "first answer", "follow-up to the first answer", "last answer", "second answer"]
    places = [page.index(f'dir="auto">{text}') for text in order]
    assert places == sorted(places)
    assert page.count("version 1 of 2") == page.count("version 2 of 2") == 1
    assert f'href="#m-{first.pk}">reply to an earlier message' in page


def test_each_answer_has_its_streams_status_and_times(reviewer, conversation):
    message = answer(ask(conversation), status=events.FAILED, pieces=11, error={"message": "Out of steam."})
    for page in (page_of(reviewer, conversation), page_of(reviewer, message.stream)):
        shown = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
        assert shown["OK"] == "0.7 ms"
        assert shown["first token"] == "100 ms"
        assert shown["tokens/s"] == "90.9"
        assert shown["longest gap"] == "10 ms"
        assert 'class="status status-failed"' in page
        assert "Out of steam." in page


def test_stream_and_conversation_point_at_each_other(reviewer, conversation):
    message = answer(ask(conversation))
    assert reverse("admin:chat_stream_change", args=[message.stream.pk]) in page_of(reviewer, conversation)
    place = reverse("admin:chat_conversation_change", args=[conversation.pk]) + f"#m-{message.pk}"
    assert place in page_of(reviewer, message.stream)


@pytest.mark.parametrize("seen", ["view_conversation", "view_stream"])
@pytest.mark.parametrize("others", [[], ["view_conversation", "view_stream"]])
def test_a_page_leads_only_where_its_reader_may_go(conversation, seen, others):
    made, client = answer(ask(conversation)), staff("read_texts", seen, *others)
    page = page_of(client, conversation if seen == "view_conversation" else made.stream)
    assert "ana" in page
    links = {unescape(link).partition("#")[0] for link in re.findall(r'href="(/admin/chat/[^"]+)', page)}
    assert {link: status for link in links if (status := client.get(link).status_code) != 200} == {}


@pytest.mark.parametrize("page", ["verdict", "stream"])
def test_a_title_that_turns_the_writing_round_turns_nothing_but_itself(chief, conversation, page):
    Conversation.objects.update(title="\u202elive")
    answer(ask(conversation))
    assert "<bdi>\u202elive</bdi>" in chief.get(f"/admin/chat/{page}/").content.decode()


def test_the_text_shown_is_the_text_stored(reviewer, conversation):
    text = "Zwölf\n\n  eingerückt & <b>fett</b> 👩‍🚀\u2028'\""
    answer(ask(conversation), text, pieces=1)
    said = re.findall(r'<div class="said" dir="auto">(.*?)</div>', page_of(reviewer, conversation), re.DOTALL)
    assert unescape(said[-1]) == text


def test_a_running_stream_shows_what_it_has_said_so_far(reviewer, conversation):
    answer(ask(conversation), "so far ", status=events.RUNNING, pieces=3)
    page = page_of(reviewer, conversation)
    assert "so far so far so far " in page
    assert "<dd>100 ms</dd>" in page


def test_a_pruned_answer_keeps_its_text_and_says_that_its_recording_is_gone(reviewer, conversation):
    answer(ask(conversation), "kept").stream.delete()
    page = page_of(reviewer, conversation)
    assert "keptkept" in page
    assert "pruned" in page


def test_nothing_stored_becomes_markup(reviewer):
    user = User.objects.create(username=NASTY)
    conversation = Conversation.objects.create(user=user, title=NASTY, system=NASTY)
    message = answer(ask(conversation, NASTY), NASTY, error={"message": NASTY}, model=NASTY, status=events.FAILED)
    Message.objects.create(conversation=conversation, role=Message.MODEL, parts=[{"odd": NASTY}, {"attachment": NASTY}])
    pages = [page_of(reviewer, conversation), page_of(reviewer, message.stream)]
    pages += [reviewer.get(reverse(f"admin:chat_{k}_changelist")).content.decode() for k in ("conversation", "stream")]
    for page in pages:
        assert "<svg onload" not in page
        assert "<script>alert" not in page
        assert "{{ 7|add:7 }}" in unescape(page)


def test_no_stored_text_is_ever_called_safe():
    sources = [*(ROOT / "chat" / "admin").glob("*.py"), *(ROOT / "templates" / "admin").rglob("*.html")]
    assert len(sources) > 5
    unsafe = re.compile(r"mark_safe|\|\s*safe|autoescape|SafeString| style=|onclick|<script")
    assert [path for path in sources if unsafe.search(path.read_text())] == []


# Photos


@pytest.fixture
def photo(conversation):
    made = Attachment.objects.create(
        user=conversation.user, conversation=conversation, mime_type="image/png", width=2, height=2, data=b"\x89PNG"
    )
    Message.objects.create(conversation=conversation, role=Message.USER, parts=[{"attachment": str(made.pk)}])
    return made


def photo_url(conversation, photo):
    """Where the admin shows it."""
    return reverse("admin:chat_conversation_photo", args=[conversation.pk, photo.pk])


def test_a_photo_is_shown_where_it_was_sent(reviewer, conversation, photo):
    url = photo_url(conversation, photo)
    assert f'<img src="{url}"' in page_of(reviewer, conversation)
    response = reviewer.get(url)
    assert (response.content, response["Content-Type"]) == (b"\x89PNG", "image/png")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_photo_needs_the_permission_to_see_conversations(conversation, photo, ana, client):
    assert staff("view_stream").get(photo_url(conversation, photo)).status_code == 403
    client.force_login(ana)
    assert client.get(photo_url(conversation, photo)).status_code == 302


def test_another_users_photo_is_not_found_through_a_conversation(reviewer, photo):
    other = Conversation.objects.create(user=User.objects.create(username="other"))
    assert reviewer.get(photo_url(other, photo)).status_code == 404


def test_what_is_no_plain_picture_is_not_served(reviewer, conversation, photo):
    for mime_type in ("text/html", "image/svg+xml"):
        Attachment.objects.filter(pk=photo.pk).update(mime_type=mime_type)
        assert reviewer.get(photo_url(conversation, photo)).status_code == 404


# Finding


def test_conversations_are_found_by_title_user_words_and_ids(reviewer, conversation):
    stream = answer(ask(conversation, "Wie spät ist es in 東京?")).stream
    other = Conversation.objects.create(user=User.objects.create(username="ben"), title="Trains")
    for term in ("cloud", "ana", "spät", "東京", "BECAUSE", str(conversation.pk), str(stream.pk)):
        assert listed(reviewer, "conversation", f"?q={term}") == {conversation.pk}, term
    assert listed(reviewer, "conversation", "?q=ben") == {other.pk}
    assert listed(reviewer, "conversation", "?q=nowhere") == set()


def test_streams_are_found_by_user_model_title_and_ids(reviewer, conversation):
    stream = answer(ask(conversation)).stream
    answer(ask(Conversation.objects.create(user=User.objects.create(username="ben"))), model="large")
    for term in ("ana", "tiny", "Clouds", str(stream.pk), str(conversation.pk)):
        assert listed(reviewer, "stream", f"?q={term}") == {stream.pk}, term


def test_both_are_filtered_by_user_status_model_and_date(reviewer, conversation, ana):
    stream = answer(ask(conversation), status=events.STOPPED).stream
    ben = User.objects.create(username="ben")
    old = answer(ask(Conversation.objects.create(user=ben)), model="large").stream
    long_ago = timezone.now() - timedelta(days=400)
    Stream.objects.filter(pk=old.pk).update(created_at=long_ago)
    Conversation.objects.filter(pk=old.conversation_id).update(created_at=long_ago, updated_at=long_ago)
    year = timezone.now().year
    both = (f"?user={ana.pk}", f"?created_at__year={year}")
    for query in (*both, "?status__exact=stopped", "?model=tiny"):
        assert listed(reviewer, "stream", query) == {stream.pk}, query
    for query in (*both, "?streams__status__exact=stopped", "?streams__model=tiny"):
        assert listed(reviewer, "conversation", query) == {conversation.pk}, query
    assert listed(reviewer, "stream", f"?user={ben.pk}") == {old.pk}


def test_a_filter_never_asks_for_passwords(reviewer):
    response = reviewer.get(reverse("admin:chat_stream_changelist") + "?user__password__startswith=pbkdf2")
    assert response.status_code in (302, 400)


def test_a_wrong_user_in_the_address_breaks_nothing(reviewer):
    response = reviewer.get(reverse("admin:chat_stream_changelist") + "?user=x")
    assert response.status_code in (200, 302)


# Bounds


@pytest.mark.parametrize("kind", ["conversation", "stream"])
def test_a_list_asks_the_same_number_of_questions_for_one_row_and_for_many(
    reviewer, ana, kind, django_assert_num_queries, django_assert_max_num_queries
):
    answer(ask(Conversation.objects.create(user=ana, title="0")))
    listed(reviewer, kind)  # what Django looks up once a process is not counted
    with django_assert_max_num_queries(20) as one:
        listed(reviewer, kind)
    for number in range(12):
        answer(ask(Conversation.objects.create(user=User.objects.create(username=f"u{number}"), title=f"{number}")))
    with django_assert_num_queries(len(one.captured_queries)):
        listed(reviewer, kind)


def test_a_transcript_asks_the_same_number_of_questions_for_one_turn_and_for_many(
    reviewer, conversation, django_assert_num_queries, django_assert_max_num_queries
):
    last = answer(ask(conversation))
    page_of(reviewer, conversation)
    with django_assert_max_num_queries(9) as one:
        page_of(reviewer, conversation)
    for number in range(9):
        last = answer(ask(conversation, f"Question {number}", parent=last))
    with django_assert_num_queries(len(one.captured_queries)):
        assert "Question 8" in page_of(reviewer, conversation)


def test_a_long_conversation_has_pages(reviewer, conversation):
    parent = None
    for number in range(review.TURNS_PER_PAGE + 1):
        parent = ask(conversation, f"number {number}.", parent=parent)
    url = reverse("admin:chat_conversation_change", args=[conversation.pk])
    first, second = (reviewer.get(f"{url}?page={number}").content.decode() for number in (1, 2))
    assert "number 0." in first
    assert "number 20." not in first
    assert "number 20." in second
    assert reviewer.get(f"{url}?page=99").content.decode().count("number 20.") == 1
    assert reviewer.get(f"{url}?page=x").status_code == 200


@pytest.mark.slow
def test_a_stream_of_100_000_events_is_a_page_of_events_and_a_bounded_picture(
    reviewer, conversation, django_assert_max_num_queries
):
    stream = answer(ask(conversation), "a", pieces=100_000).stream
    url = reverse("admin:chat_stream_change", args=[stream.pk])
    page_of(reviewer, stream)
    with django_assert_max_num_queries(11):
        page = reviewer.get(url).content.decode()
    assert page.count('<tr class="event-') == review.EVENTS_PER_PAGE
    assert page.count("<rect") <= review.BINS
    assert len(page) < 200_000
    last = reviewer.get(f"{url}?page=501").content.decode()
    assert "Events 100000 to 100001 of 100002" in last
    assert "?page=502" not in last


def test_a_huge_event_and_a_huge_request_are_shown_in_part(reviewer, conversation):
    stream = answer(ask(conversation, "q" * 300_000), "a" * 300_000, pieces=1).stream
    assert len(page_of(reviewer, stream)) < 60_000


# Accounts


def posted(client, user, **changes):
    """Save a user's form with some fields changed."""
    fields = {"username": user.username, "email": "", "is_active": "on"} | changes
    return client.post(reverse("admin:chat_user_change", args=[user.pk]), fields)


def test_deactivating_an_account_ends_its_tokens(chief, ana):
    chosen = {"action": "deactivate", "_selected_action": [ana.pk]}
    assert chief.post(reverse("admin:chat_user_changelist"), chosen).status_code == 302
    ana.refresh_from_db()
    assert (ana.is_active, ana.token_version) == (False, 1)


def test_switching_an_account_off_in_its_form_ends_its_tokens_too(ana):
    assert posted(staff("change_user", "view_user"), ana, is_active="").status_code == 302
    ana.refresh_from_db()
    assert (ana.is_active, ana.token_version) == (False, 1)


def test_nobody_switches_themselves_off_by_a_list(chief):
    me = User.objects.get(username="chief")
    chief.post(reverse("admin:chat_user_changelist"), {"action": "deactivate", "_selected_action": [me.pk]})
    me.refresh_from_db()
    assert me.is_active


def test_staff_give_no_rights_and_touch_no_staff(ana):
    client = staff("change_user", "view_user")
    posted(client, ana, is_superuser="on", is_staff="on")
    ana.refresh_from_db()
    assert (ana.is_superuser, ana.is_staff) == (False, False)
    chief = User.objects.create_superuser("chief")
    assert posted(client, chief, is_active="").status_code == 403
    client.post(reverse("admin:chat_user_changelist"), {"action": "deactivate", "_selected_action": [chief.pk]})
    chief.refresh_from_db()
    assert chief.is_active


def test_staff_neither_see_nor_set_passwords(ana):
    ana.set_password("secret")
    ana.save()
    client = staff("change_user", "view_user")
    page = client.get(reverse("admin:chat_user_change", args=[ana.pk])).content.decode()
    assert "pbkdf2" not in page
    assert "algorithm" not in page
    assert client.get(reverse("admin:auth_user_password_change", args=[ana.pk])).status_code == 403


def test_nobody_deletes_an_account_here(chief, ana):
    assert chief.post(reverse("admin:chat_user_delete", args=[ana.pk]), {"post": "yes"}).status_code == 403
