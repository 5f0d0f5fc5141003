"""Single sign-on at a real OpenID Connect provider, from the sign-in page to the chat, and what it must not open."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.servers.process import Process, accepts, free_port, wait_until
from tests.servers.wondercam import WonderCam, manage
from tests.servers.wondercam import settings as environment_of
from wondercam.single_sign_on import providers

START_SECONDS = 120.0


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider that lets in whoever says a name."""
    port = free_port()
    ann = '{"sub": "ann-at-work", "preferred_username": "ann", "email": "ann@example.com"}'
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--user-claims", ann]
    process = Process(command)
    try:
        wait_until(lambda: accepts(port), "the provider listens", START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill9()


@pytest.fixture(scope="module")
def site(provider: str, tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[WonderCam]:
    folder = tmp_path_factory.mktemp("data")
    shutil.copy(migrated_database, folder / "wondercam.sqlite3")  # in which the library's tables are missing
    settings = {
        "WONDERCAM_OIDC_URL": provider,
        "WONDERCAM_OIDC_CLIENT_ID": "wondercam",
        "WONDERCAM_OIDC_CLIENT_SECRET": "a-secret-of-the-tests",
        "WONDERCAM_OIDC_NAME": "Example ID",
        "WONDERCAM_SIGNUP": "closed",
        "WONDERCAM_GUESTS": "1",
    }
    environment = environment_of(folder, settings)
    manage("migrate", "--noinput", "--verbosity", "0", env=environment)
    server = WonderCam(environment, 1, ())
    try:
        yield server
    finally:
        server.kill9()


def sent_to_provider(browser: httpx.Client) -> httpx.Response:
    """The provider's page, reached from the sign-in page."""
    page = browser.get("/accounts/signin/?next=/accounts/").text
    link = re.search(r'href="(/accounts/oidc/sso/login/[^"]*)">Sign in by Example ID<', page)
    assert link, page
    asked = browser.get(link[1])
    assert asked.status_code == 302
    assert "code_challenge=" in asked.headers["Location"]
    return browser.get(asked.headers["Location"])


def signed_in(browser: httpx.Client, name: str) -> httpx.Response:
    """What the site answers to somebody who comes back from the provider."""
    asking = sent_to_provider(browser)
    back = browser.post(str(asking.url), data={"sub": name})
    assert back.status_code == 302, back.text
    return browser.get(back.headers["Location"])


def test_who_is_let_in_by_the_provider_has_an_account_that_stays_the_same(site: WonderCam) -> None:
    for _ in range(2):
        with httpx.Client(base_url=site.url, timeout=90) as browser:
            answer = signed_in(browser, "ann-at-work")
            assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/")
            assert "signed in as ann." in browser.get("/accounts/").text
    anns = "from chat.models import *; print(*User.objects.filter(email='ann@example.com').values_list('username'))"
    assert site.manage("shell", "-v", "0", "-c", anns).strip() == "('ann',)"


def chat_as_a_guest(site: WonderCam, browser: httpx.Client) -> str:
    """The address of a chat that somebody has who is here without an account."""
    assert browser.get("/").status_code == 200
    came = browser.post("/v2/auth/session", headers={"X-CSRFToken": browser.cookies["wccsrf"]})
    assert came.json()["user"]["guest"], came.text
    newest = "User.objects.filter(is_guest=True).latest('pk')"
    talk = f"from chat.models import *; print(Conversation.objects.create(user={newest}).pk)"
    return f"/c/{site.manage('shell', '-v', '0', '-c', talk).strip()}"


def test_the_chats_of_a_guest_come_along_at_the_first_time_and_later(site: WonderCam) -> None:
    chats: list[str] = []
    for _ in range(2):
        with httpx.Client(base_url=site.url, timeout=90) as browser:
            chats.append(chat_as_a_guest(site, browser))
            signed_in(browser, "gwen")
            assert [browser.get(chat).status_code for chat in chats] == [200] * len(chats)


def test_a_name_that_is_taken_here_is_not_opened_by_the_provider(site: WonderCam) -> None:
    make = "from chat.models import *; User.objects.create_user('local', 'eve@example.com', 'correct horse battery')"
    site.manage("shell", "-v", "0", "-c", make)
    with httpx.Client(base_url=site.url, timeout=90) as browser:
        signed_in(browser, "local")
        said = browser.get("/accounts/").text
    assert "signed in as" in said
    assert "signed in as local." not in said


def test_a_sign_in_that_nobody_began_here_is_refused_with_a_page_of_ours(site: WonderCam) -> None:
    with httpx.Client(base_url=site.url, timeout=90) as browser:
        answer = browser.get("/accounts/oidc/sso/login/callback/?code=stolen&state=made-up")
        assert answer.status_code == 401
        assert "You are not signed in" in answer.text
        assert browser.get("/accounts/").status_code == 302


@pytest.mark.parametrize("path", ["login/", "signup/", "password/reset/", "email/", "3rdparty/", "social/connections/"])
def test_no_page_of_the_library_s_own_is_there(site: WonderCam, path: str) -> None:
    answer = httpx.get(f"{site.url}/accounts/{path}", timeout=90)
    ours = answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/signin/")
    assert answer.status_code in (403, 404) or ours


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("nonsense", "a", "b"), "is not an address"),
        (("https://id.example.com", "", "b"), "WONDERCAM_OIDC_CLIENT_ID"),
        (("https://id.example.com", "a", ""), "WONDERCAM_OIDC_CLIENT_SECRET"),
    ],
)
def test_what_is_missing_stops_the_start_with_its_name(given: tuple[str, str, str], words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words):
        providers(*given, "x")


def test_it_is_off_unless_a_provider_is_named() -> None:
    assert providers("", "a", "b", "x") == {}
