"""The rates, and the subjects that each of them counts.

Each rate is a moving window: `retry_after` is the time, in whole seconds, until one more request will be accepted.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from chat.limits.addresses import blocks_of, customer_of
from chat.models import User
from chat.protocol.errors import ResourceExhausted


@dataclass(frozen=True, slots=True)
class Rate:
    """`WONDERCAM_LIMIT_<setting>` requests in `window` seconds for each `subject`, which is one of

    user       a user
    customer   an IPv4 address, or an IPv6 /56
    blocks     an address and the blocks around it, with larger quotas: IPv4 and its /24; IPv6 /64, /56 and /48
    account    a normalized user name and a customer, so that an attacker elsewhere does not lock the owner out
    name       a normalized user name, from any address
    site       all requests
    """

    setting: str
    subject: str
    window: int
    sentence: str


RATES: dict[str, tuple[Rate, ...]] = {
    "login": (
        Rate("LOGIN_IP", "blocks", 60, "Too many attempts to sign in from your address."),
        Rate("LOGIN_ACCOUNT", "account", 180, "Too many attempts to sign in to this account."),
        Rate("LOGIN_NAME", "name", 180, "Too many attempts to sign in to this account, from many addresses."),
    ),
    "chat": (
        Rate("CHAT_BURST", "user", 1, "These questions come too fast."),
        Rate("CHAT_USER", "user", 60, "You have asked as many questions as one minute allows."),
        Rate("CHAT_IP", "customer", 60, "Too many questions come from your address."),
    ),
    "guest": (
        Rate("GUEST_IP", "blocks", 60, "Too many guests come from your address."),
        Rate("GUEST_IP_DAY", "blocks", 86_400, "Too many guests came from your address today."),
        Rate("GUESTS", "site", 60, "Too many new guests at the moment."),
    ),
    "probe": (Rate("PROBE_IP", "blocks", 60, "Too many probes come from your address."),),
    "signup": (Rate("SIGNUP_IP", "blocks", 60, "Too many accounts are made from your address."),),
    "reset": (
        Rate("RESET_IP", "blocks", 3600, "Too many links for new passwords were asked for from your address."),
        Rate("RESET_NAME", "name", 3600, "Too many links for new passwords were asked for this address."),
    ),
    "key": (Rate("KEYS_HOUR", "user", 3600, "You have made as many API keys as one hour allows."),),
    "ticket": (Rate("TICKET_USER", "user", 60, "You have asked for as many tickets as one minute allows."),),
    "upload": (
        Rate("UPLOAD_USER", "user", 60, "You have sent as many photos or sounds as one minute allows."),
        Rate("UPLOAD_USER_DAY", "user", 86_400, "You have sent as many photos or sounds as one day allows."),
    ),
}


class Quota(NamedTuple):
    """The quota of one subject at one rate: `amount` requests per window. `key` identifies rate and subject."""

    rate: Rate
    key: str
    amount: int


class RateExceeded(ResourceExhausted):
    """Error 429 with the RateLimit header fields of draft-ietf-httpapi-ratelimit-headers."""

    def __init__(self, rate: Rate, quota: int, wait: int) -> None:
        super().__init__(f"{rate.sentence} Try again in {wait} s.", retry_after=wait)
        name = rate.setting.lower().replace("_", "-")
        self.headers = {
            "RateLimit-Policy": f'"{name}";q={quota};w={rate.window}',
            "RateLimit": f'"{name}";r=0;t={wait}',
        }


def quotas_of(name: str, user: str, ip: str, account: str) -> Iterator[Quota]:
    """Yield the quotas of the rates called `name`; a rate whose subject is unknown ("") has none."""
    for rate in RATES[name]:
        amount = of(rate.setting)
        for subject, factor in subjects_of(rate.subject, user, ip, account):
            yield Quota(rate, f"{rate.setting.lower()}:{subject}", amount * factor)


def subjects_of(kind: str, user: str, ip: str, account: str) -> tuple[tuple[str, int], ...]:
    """Return the subjects that a rate of this kind counts, each with the factor of its quota."""
    if kind == "user":
        return ((user, 1),) if user else ()
    if kind == "customer":
        return ((customer_of(ip), 1),) if ip else ()
    if kind == "blocks":
        return blocks_of(ip)
    if kind == "site":
        return (("all", 1),)
    name = name_digest(account) if account else ""
    return ((f"{name}@{customer_of(ip)}" if kind == "account" else name, 1),) if name else ()


def name_digest(account: str) -> str:
    """Return a hash of the user name, normalized as the sign-in does: clients may send names of any length."""
    looked_up = User.normalize_username(account.strip()).strip().casefold()
    return hashlib.blake2b(looked_up.encode(errors="replace"), digest_size=12).hexdigest()


def of(name: str) -> int:
    """Return one limit: `WONDERCAM_LIMIT_<name>`, or its default."""
    return int(settings.LIMITS[name])
