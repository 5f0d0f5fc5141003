"""The page as the server renders it, and the files it is made of."""

import gzip
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import AsyncClient, Client
from django.utils import timezone

from chat.accounts import tokens
from chat.models import Conversation, Event, Message, Stream, User
from chat.protocol import events
from tests.catalogue import providers
from tests.servers.wondercam import Serve
from wondercam.staticfiles import PACKAGES

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """A person with an account."""
    return User.objects.create_user("ada", password="correct horse battery")


@pytest.fixture
def signed_in(ada: User, client: Client) -> Client:
    """Ada's browser."""
    client.force_login(ada)
    return client


def a_turn(conversation: Conversation, question: Message | None, text: str, status: str = events.COMPLETE) -> Stream:
    """An answer under the question, with its stream."""
    answer = Message.objects.create(
        conversation=conversation, parent=question, role=Message.MODEL, parts=[{"text": text}] if text else []
    )
    return Stream.objects.create(
        user=conversation.user, conversation=conversation, answer=answer, status=status, created_at=timezone.now()
    )


@pytest.fixture
def conversation(ada: User) -> Conversation:
    """One question with one answer."""
    found = Conversation.objects.create(user=ada, title="Sky <b>")
    question = Message.objects.create(conversation=found, role=Message.USER, parts=[{"text": "Why <blue>?"}])
    a_turn(found, question, "Because </div><script>alert(1)</script>\r\nindeed")
    return found


def messages_in(page: str) -> list[dict[str, Any]]:
    """The messages that a rendered page carries for its script."""
    found = re.search(r'<script id="messages" type="application/json">(.*?)</script>', page)
    assert found is not None
    return list(json.loads(found[1]))


def test_a_conversation_is_rendered_with_its_text_to_the_letter_and_no_markup_of_it(
    signed_in: Client, conversation: Conversation
) -> None:
    page = signed_in.get(f"/c/{conversation.pk}").content.decode()
    question, answer = messages_in(page)
    assert question["text"] == "Why <blue>?"
    assert answer["text"] == "Because </div><script>alert(1)</script>\r\nindeed"
    assert "<blue>" not in page
    assert "<script>alert" not in page
    assert "<title>Sky &lt;b&gt; · WonderCam</title>" in page


def test_the_page_is_compressed_and_its_length_tells_nothing(signed_in: Client, conversation: Conversation) -> None:
    pages = [signed_in.get(f"/c/{conversation.pk}", headers={"Accept-Encoding": "gzip"}) for _ in range(12)]
    plain = signed_in.get(f"/c/{conversation.pk}")
    assert {page.headers["Content-Encoding"] for page in pages} == {"gzip"}
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Content-Encoding" not in plain.headers
    assert b"</html>" in gzip.decompress(pages[0].content)
    assert len(pages[0].content) < len(plain.content) / 2
    assert len({len(page.content) for page in pages}) > 1


@pytest.mark.django_db(transaction=True)
async def test_the_page_and_the_api_give_a_message_in_one_shape(
    async_client: AsyncClient, conversation: Conversation, ada: User
) -> None:
    await async_client.aforce_login(ada)
    page = messages_in((await async_client.get(f"/c/{conversation.pk}")).content.decode())
    headers = {"Authorization": f"Bearer {await sync_to_async(tokens.access_for)(ada)}"}
    given = (await async_client.get(f"/v2/conversations/{conversation.pk}", headers=headers)).json()["messages"]
    for message in (*page, *given):
        message.pop("created_at")  # the one in ms, the other in µs
    assert page == given


def test_an_answer_comes_with_its_reason_and_the_time_of_its_thoughts(
    signed_in: Client, conversation: Conversation
) -> None:
    stream = a_turn(conversation, conversation.messages.get(role=Message.USER), "Blue.")
    Message.objects.filter(pk=stream.answer_id).update(parts=[{"text": "Hm.", "thought": True}, {"text": "Blue."}])
    thought = {"candidates": [{"content": {"parts": [{"text": "Hm.", "thought": True}]}}]}
    log = [(1, 700_000, thought), (2, 900_000, events.delta("Blue.")), (3, 1_200_000, events.finish("MAX_TOKENS"))]
    Event.objects.bulk_create(Event(stream=stream, seq=n, at=at, data=events.encode(data)) for n, at, data in log)
    Stream.objects.filter(pk=stream.pk).update(last_seq=3, first_token_us=700_000)
    newest = messages_in(signed_in.get(f"/c/{conversation.pk}").content.decode())[-1]["stream"]
    assert (newest["reason"], newest["first_token_ms"], newest["thought_ms"]) == ("MAX_TOKENS", 700, 700)


def test_a_foreign_conversation_is_as_unknown_as_one_that_never_was(client: Client, conversation: Conversation) -> None:
    client.force_login(User.objects.create_user("eve"))
    foreign, unknown = client.get(f"/c/{conversation.pk}"), client.get(f"/c/{uuid4()}")
    assert foreign.status_code == unknown.status_code == 404
    nonce = re.compile(rb'nonce="[^"]*"')
    assert nonce.sub(b"", foreign.content) == nonce.sub(b"", unknown.content)
    assert b"Sky" not in client.get("/").content


def test_every_version_of_an_answer_is_given_and_a_running_one_without_text(
    signed_in: Client, conversation: Conversation
) -> None:
    question = conversation.messages.get(role=Message.USER)
    stream = a_turn(conversation, question, "", events.RUNNING)
    first, second = messages_in(signed_in.get(f"/c/{conversation.pk}").content.decode())[1:]
    assert first["parent_id"] == second["parent_id"] == str(question.pk)
    assert (second["parts"], second["stream"]["id"], second["stream"]["status"]) == ([], str(stream.pk), "running")


def test_without_guests_a_visitor_is_asked_to_sign_in_and_comes_back(client: Client, settings: Any) -> None:
    settings.GUESTS = False
    answer = client.get("/c/5d7e4a90-2f1b-4b7c-8c66-0a9b1e2d3f02")
    assert answer["Location"] == "/accounts/signin/?next=/c/5d7e4a90-2f1b-4b7c-8c66-0a9b1e2d3f02"


def test_a_guest_keeps_the_account_on_signing_up(client: Client) -> None:
    guest = User.objects.create(username="guest-1", is_guest=True)
    client.force_login(guest)
    password = "correct horse battery"
    form = {"username": "ada", "password1": password, "password2": password}
    assert client.post("/accounts/signup/", form).status_code == 302
    guest.refresh_from_db()
    assert (guest.username, guest.is_guest, guest.check_password(password)) == ("ada", False, True)


def test_a_refused_sign_up_leaves_the_guest_a_guest(client: Client) -> None:
    guest = User.objects.create(username="guest-1", is_guest=True)
    client.force_login(guest)
    answer = client.post("/accounts/signup/", {"username": "ada", "password1": "123", "password2": "123"})
    assert answer.status_code == 200
    guest.refresh_from_db()
    assert (guest.username, guest.is_guest) == ("guest-1", True)


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https:evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(ada: User, client: Client, elsewhere: str) -> None:
    form = {"username": "ada", "password": "correct horse battery", "next": elsewhere}
    assert client.post("/accounts/signin/", form)["Location"] == "/"


async def test_the_page_has_no_inline_code_but_its_import_map(async_client: AsyncClient) -> None:
    answer = await async_client.get("/")
    page = answer.content.decode()
    scripts = re.findall(r"<script([^>]*)>([^<]*)</script>", page)
    scripts = [(attributes, text) for attributes, text in scripts if 'type="application/json"' not in attributes]
    assert len(scripts) == 2
    assert all("nonce=" in attributes for attributes, _ in scripts)
    assert not re.search(r"\son\w+=|\sstyle=|<style", page)


def test_every_file_of_the_packages_is_found_and_nothing_beside_them() -> None:
    for name, (_, files) in PACKAGES.items():
        for file in files:
            assert finders.find(f"vendor/{name}/{file}"), file
    for other in ("vendor/highlight/package.json", "vendor/highlight/../package.json", "vendor/x/y", "vendor"):
        assert not finders.find(other)


def test_a_file_that_the_browser_has_already_is_not_sent_again(serve: Serve) -> None:
    address = f"{serve({'WONDERCAM_MODELS': 'recording/hello'}).url}/static/chat/page.js"
    first = httpx.get(address, timeout=90).raise_for_status()
    again = httpx.get(address, headers={"If-Modified-Since": first.headers["Last-Modified"]}, timeout=90)
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_s_own_modules_form_no_cycle() -> None:
    folder = Path(settings.BASE_DIR) / "static" / "chat"
    imports = {
        path: {
            (path.parent / name).resolve()
            for name in re.findall(r'^(?:import|\} from)[^"]*"(\.[^"]+)";$', path.read_text(), re.MULTILINE)
        }
        for path in folder.rglob("*.js")
    }
    while leaves := {name for name, needs in imports.items() if not needs}:
        imports = {name: needs - leaves for name, needs in imports.items() if name not in leaves}
    assert imports == {}


@pytest.mark.parametrize(("cookie", "attribute"), [("dark", ' data-theme="dark"'), ('"><script>', ""), ("blue", "")])
def test_a_page_has_the_theme_that_was_chosen_and_no_other_text_of_a_cookie(
    client: Client, cookie: str, attribute: str
) -> None:
    client.cookies["theme"] = cookie
    assert f'<html lang="en"{attribute}>' in client.get("/").content.decode()


def test_a_message_brings_no_form_of_its_own(client: Client, ada: User) -> None:
    """Browsers look through all forms of a page, for what they could fill in, whenever one more comes: with 300
    messages that took half a second each time."""
    client.force_login(ada)
    page = client.get("/").content.decode()
    message = page.partition('<template id="message">')[2].partition("</template>")[0]
    assert "<article" in message
    assert not re.search("<(form|input|select|textarea)", message)
    assert '<template id="reason"><form' in page


def test_the_page_says_what_it_is_to_whoever_lists_it(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert '<meta name="description" content="Point a camera' in client.get("/").content.decode()


def test_the_list_of_models_says_what_each_can(client: Client) -> None:
    names = "gemini/gemini-3-pro,gemini/gemini-1.5-flash,openai/words"
    providers.configure({"WONDERCAM_MODELS": names, "GEMINI_API_KEY": "k", "OPENAI_API_KEY": "k", "OPENAI_IMAGES": "0"})
    page = client.get("/").content.decode()
    assert re.findall(r"<option [^>]*>([^<]*)</option>", page.partition('data-part="model"')[2])[:3] == [
        "gemini/gemini-3-pro · sees, hears, thinks",
        "gemini/gemini-1.5-flash · sees, hears",
        "openai/words",
    ]
