"""The client address of a request behind proxies."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from wondercam.server.proxies import Proxies, scheme, without_forwarding

ALICE, STRANGER, INNER, OUTER = "203.0.113.9", "198.51.100.1", "10.0.0.2", "10.0.0.1"


def forwarded(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-forwarded-for", value.encode()) for value in values]


def test_nobody_is_trusted_by_default() -> None:
    assert not Proxies.parse("").trusts("127.0.0.1")


def test_one_proxy_names_the_last_address_it_added() -> None:
    assert Proxies.parse("1").client(OUTER, forwarded(f"{STRANGER}, {ALICE}")) == ALICE


def test_two_proxies_are_counted_from_the_right() -> None:
    assert Proxies.parse("2").client(OUTER, forwarded(f"{STRANGER}, {ALICE}, {INNER}")) == ALICE


def test_fewer_hops_than_proxies_give_the_first() -> None:
    assert Proxies.parse("3").client(OUTER, forwarded(ALICE)) == ALICE


def test_networks_are_walked_from_the_right_to_the_first_stranger() -> None:
    assert Proxies.parse("10.0.0.0/8").client(OUTER, forwarded(f"{STRANGER}, {ALICE}, {INNER}")) == ALICE


def test_several_headers_are_one_list() -> None:
    assert Proxies.parse("10.0.0.0/8").client(OUTER, forwarded(STRANGER, ALICE, INNER)) == ALICE


def test_only_trusted_hops_give_the_farthest() -> None:
    assert Proxies.parse("10.0.0.0/8").client(OUTER, forwarded(INNER)) == INNER


@pytest.mark.parametrize("said", ["", "unknown", "<script>", "999.1.1.1", ","])
def test_what_is_no_address_gives_the_peer(said: str) -> None:
    assert Proxies.parse("1").client(OUTER, forwarded(said)) == OUTER


@pytest.mark.parametrize(
    ("said", "client"),
    [
        (f"{STRANGER}, {ALICE}:51234", ALICE),
        (f"{ALICE}:51234, {INNER}:80", ALICE),
        (f"::ffff:{ALICE}, ::ffff:{INNER}", ALICE),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        (f"{ALICE}:x", OUTER),
        (f"[{ALICE}", OUTER),
    ],
)
def test_a_port_is_no_part_of_an_address_and_one_address_has_one_notation(said: str, client: str) -> None:
    """Azure's gateway adds the port; all clients would count as the gateway."""
    assert Proxies.parse("10.0.0.0/8").client(OUTER, forwarded(said)) == client
    if INNER not in said:
        assert Proxies.parse("1").client(OUTER, forwarded(said)) == client


def test_an_address_of_version_six_is_read() -> None:
    proxies = Proxies.parse("fd00::/8")
    assert proxies.trusts("fd00::1")
    assert proxies.client("fd00::1", forwarded("2001:DB8::1")) == "2001:db8::1"


def test_a_wrong_list_names_its_variable() -> None:
    with pytest.raises(ImproperlyConfigured, match="WONDERCAM_TRUSTED_PROXIES is 'nginx'"):
        Proxies.parse("nginx")


@pytest.mark.parametrize(("said", "expected"), [("https", "https"), ("http, HTTPS", "https"), ("https, http", "http")])
def test_the_last_proxy_says_whether_it_was_called_over_tls(said: str, expected: str) -> None:
    assert scheme([(b"x-forwarded-proto", said.encode())]) == expected


def test_headers_of_proxies_are_taken_out() -> None:
    kept = (b"host", b"localhost")
    assert without_forwarding([kept, (b"x-forwarded-host", b"evil"), (b"forwarded", b"for=evil")]) == [kept]
