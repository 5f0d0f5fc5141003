"""The site's error pages: with and without DEBUG, and without a database."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from chat import limits
from wondercam.urls import handler400, handler403, handler404, handler405, handler500

__all__ = ["handler400", "handler403", "handler404", "handler405", "handler500", "urlpatterns"]


def failing(request: HttpRequest, kind: str) -> HttpResponse:
    """A view in which something goes wrong."""
    raise {"permission": PermissionDenied, "suspicious": SuspiciousOperation, "bug": ZeroDivisionError}[kind]("inside")


urlpatterns = [path("failing/<kind>/", failing), path("v2/failing/<kind>/", failing), path("", include("chat.urls"))]


@pytest.fixture(autouse=True, params=[True, False], ids=["debug", "production"])
def debug(request: pytest.FixtureRequest, settings: Any) -> bool:
    """Every test is tried with DEBUG and without."""
    settings.DEBUG, settings.ROOT_URLCONF = request.param, __name__
    return bool(request.param)


@pytest.fixture
def browser() -> Client:
    """A browser, whose forms need their token."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def assert_own_page(answer: Any, status: int, heading: str) -> None:
    """It has the site's frame, says what happened, leads on, and shows nothing of the inside."""
    page = answer.content.decode()
    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in page
    assert '<a class="button" href="/">' in page
    assert "chat/account.css" in page
    for inside in ("DEBUG", "Traceback", "ZeroDivision", "urlpatterns", "inside", "failing"):
        assert inside not in page


@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/nothing", 404, "This page is not here"),
        ("/admin-not/", 404, "This page is not here"),
        ("/static/nothing.js", 404, "This page is not here"),
        ("/c/not-an-id", 404, "This page is not here"),
        ("/failing/permission/", 403, "This is not open to you"),
        ("/failing/suspicious/", 400, "This request cannot be read"),
        ("/failing/bug/", 500, "Something went wrong on the server"),
        ("/accounts/signout/", 405, "This address is not a page"),
    ],
)
def test_an_error_is_a_page_of_the_site_s_own(browser: Client, address: str, status: int, heading: str) -> None:
    assert_own_page(browser.get(address), status, heading)


def test_a_host_that_is_not_ours_is_told_so(browser: Client) -> None:
    assert_own_page(browser.get("/accounts/signin/", HTTP_HOST="evil.example"), 400, "This request cannot be read")


def test_a_form_that_is_out_of_date_says_what_to_do(browser: Client) -> None:
    answer = browser.post("/accounts/signin/", {"username": "ada", "password": "x"})
    assert_own_page(answer, 403, "This form is out of date")
    assert "reload the page, and send it again" in answer.content.decode()


def test_another_method_is_told_which_is_right(browser: Client) -> None:
    assert "POST" in browser.get("/accounts/signout/").headers["Allow"]


@pytest.mark.parametrize(
    ("address", "status"),
    [("/v2/nothing", 404), ("/v2/failing/permission/", 403), ("/v2/failing/bug/", 500), ("/v1/nothing/at/all", 404)],
)
def test_a_client_of_the_api_gets_json(browser: Client, address: str, status: int) -> None:
    answer = browser.get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)


@pytest.mark.parametrize(
    "told",
    [{"content_type": "application/json"}, {"HTTP_ACCEPT": "application/json;q=0.9, */*", "content_type": "a/b"}],
)
def test_a_program_that_has_the_address_of_the_api_wrong_gets_json(
    browser: Client, told: dict[str, Any], debug: bool
) -> None:
    for address in ("/v1beta2/models/m:generateContent", *(() if debug else ("/chat/completions", "/upload/v1beta/x"))):
        answer = browser.post(address, "{}", **told)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, 404), address


def test_a_browser_that_sends_json_gets_a_page(browser: Client, debug: bool) -> None:
    if not debug:
        answer = browser.get("/nothing", HTTP_ACCEPT="text/html,application/json")
        assert_own_page(answer, 404, "This page is not here")


@pytest.mark.django_db
def test_too_many_tries_to_sign_in_are_a_page_that_says_how_long_to_wait(browser: Client, settings: Any) -> None:
    settings.LIMITS_OFF = False
    settings.LIMITS = {**settings.LIMITS, "LOGIN_ACCOUNT": 1, "LOGIN_IP": 1}
    browser.get("/accounts/signin/")
    form = {"username": "ada", "password": "x", "csrfmiddlewaretoken": browser.cookies["wccsrf"].value}
    for _ in range(3):
        answer = browser.post("/accounts/signin/", form)
    async_to_sync(limits.close)()
    assert_own_page(answer, 429, "Too many tries")
    assert int(answer.headers["Retry-After"]) > 0
