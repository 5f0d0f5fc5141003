"""The page as the server renders it, and the files it is made of."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.utils import timezone

from chat.models import Conversation, Message, Stream, User
from chat.protocol import events
from tests.servers.wondercam import Serve
from wondercam.staticfiles import PACKAGES, HashedStorage

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


def test_a_conversation_is_rendered_with_its_text_escaped_to_the_letter(
    signed_in: Client, conversation: Conversation
) -> None:
    page = signed_in.get(f"/c/{conversation.pk}").content.decode()
    assert "Because &lt;/div&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#13;\nindeed" in page
    assert "Why &lt;blue&gt;?" in page
    assert "<title>Sky &lt;b&gt; · WonderCam</title>" in page


def test_a_foreign_conversation_is_as_unknown_as_one_that_never_was(client: Client, conversation: Conversation) -> None:
    client.force_login(User.objects.create_user("eve"))
    foreign, unknown = client.get(f"/c/{conversation.pk}"), client.get(f"/c/{uuid4()}")
    assert foreign.status_code == unknown.status_code == 404
    nonce = re.compile(rb'nonce="[^"]*"')
    assert nonce.sub(b"", foreign.content) == nonce.sub(b"", unknown.content)
    assert b"Sky" not in client.get("/").content


def test_only_the_newest_branch_of_the_tree_is_shown(signed_in: Client, conversation: Conversation) -> None:
    question = conversation.messages.get(role=Message.USER)
    a_turn(conversation, question, "The second try")
    page = signed_in.get(f"/c/{conversation.pk}").content.decode()
    assert "The second try" in page
    assert "Because" not in page


def test_a_running_answer_is_left_to_its_stream(signed_in: Client, conversation: Conversation) -> None:
    stream = a_turn(conversation, conversation.messages.get(role=Message.USER), "", events.RUNNING)
    page = signed_in.get(f"/c/{conversation.pk}").content.decode()
    assert re.search(rf'data-status="running"[^>]*data-stream="{stream.pk}" data-seq="-1"', page)


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
    assert len(scripts) == 2
    assert all("nonce=" in attributes for attributes, _ in scripts)
    assert not re.search(r"\son\w+=|\sstyle=|<style", page)


def test_every_file_of_the_packages_is_found_and_nothing_beside_them() -> None:
    for name, (_, files) in PACKAGES.items():
        for file in files:
            assert finders.find(f"vendor/{name}/{file}"), file
    for other in ("vendor/highlight/package.json", "vendor/highlight/../package.json", "vendor/x/y", "vendor"):
        assert not finders.find(other)


def test_every_file_gets_a_name_with_its_hash_and_imports_follow(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": f"{HashedStorage.__module__}.{HashedStorage.__qualname__}"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    names = {path.name for path in tmp_path.rglob("*.js")}
    page = next(path for path in (tmp_path / "chat").glob("page.*.js"))
    imported = re.findall(r'from "\./([^"]+)"', page.read_text())
    assert len(imported) > 5
    assert all(re.fullmatch(r"[\w/]+\.[0-9a-f]{12}\.js", name) and Path(name).name in names for name in imported)


def test_a_file_that_the_browser_has_already_is_not_sent_again(serve: Serve) -> None:
    address = f"{serve({'WONDERCAM_MODELS': 'recording/hello'}).url}/static/chat/page.js"
    first = httpx.get(address).raise_for_status()
    again = httpx.get(address, headers={"If-Modified-Since": first.headers["Last-Modified"]})
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
