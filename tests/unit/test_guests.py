"""People without an account: who becomes a guest, and at whose word."""

from typing import Any

import pytest
from django.test import Client

from chat.models import User

OWN = "http://testserver"


@pytest.fixture(autouse=True)
def guests_on(db: None, settings: Any) -> None:
    settings.GUESTS = True


def come(**headers: str) -> Any:
    return Client().post("/v2/auth/guest", headers=headers)


def test_an_api_client_that_says_nothing_of_a_page_becomes_a_guest():
    assert set(come().json()) == {"access", "refresh"}


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin", "Origin": OWN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
    ids=str,
)
def test_the_sites_own_page_may_ask(headers):
    assert come(**headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    ],
    ids=str,
)
def test_another_sites_page_makes_no_guest(headers):
    answer = come(**headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
    assert not User.objects.exists()


def test_an_origin_that_may_call_the_api_may_ask(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    assert come(**{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example.com"}).status_code == 200


def test_guests_of_one_network_are_known_as_such_and_its_address_is_not_kept():
    for address in ("192.0.2.1", "192.0.2.200", "198.51.100.1"):
        assert Client(REMOTE_ADDR=address).post("/v2/auth/guest").status_code == 200
    networks = list(User.objects.order_by("pk").values_list("network", flat=True))
    assert networks[0] == networks[1] != networks[2]
    assert not any("." in network for network in networks)
