"""Signing in and out of the API, the page's access token, and tickets for a native EventSource."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.contrib.auth import alogin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chat import limits
from chat.accounts import audit, families, guests, passwords, tickets, tokens
from chat.models import User
from chat.protocol.errors import ResourceExhausted, Unauthenticated
from chat.views import errors
from chat.views.api import api, body, json_response


class TokenBody(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /v2/auth/token` takes."""

    username: str
    password: str


class Refresh(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /v2/auth/refresh` and `/v2/auth/logout` take."""

    refresh: str


@api("POST")
async def token(request: HttpRequest) -> HttpResponse:
    """`{"username", "password"}` → `{"access", "refresh"}`; 401 in the same words for a wrong name or password."""
    given = body(request, TokenBody)
    await spend_try(given.username, limits.address(request))
    user = await passwords.holder(given.username, given.password)
    if user is None:
        raise Unauthenticated("The user name or the password is wrong.")
    return json_response(await sync_to_async(signed_in)(request, user))


def signed_in(request: HttpRequest, user: User) -> dict[str, str]:
    """The first pair of a sign-in, which is written down."""
    audit.record_sign_in(request, user)
    return tokens.issue(user)


@api("POST")
async def refresh(request: HttpRequest) -> HttpResponse:
    """`{"refresh"}` → the next pair; the old refresh token is spent."""
    given = body(request, Refresh)
    address = limits.address(request)
    await limits.spend("login", ip=address)
    return json_response(await sync_to_async(tokens.rotate)(given.refresh, address))


@api("POST")
async def logout(request: HttpRequest) -> HttpResponse:
    """`{"refresh"}` → 204: neither it nor any access token of the same sign-in is accepted from now on."""
    given = body(request, Refresh)
    await sync_to_async(tokens.revoke)(given.refresh)
    return HttpResponse(status=204)


@api("POST")
async def guest(request: HttpRequest) -> HttpResponse:
    """→ a pair for a new guest, where guests are on."""
    return json_response(await guests.new_pair(request))


@api("POST", csrf=True)
async def session(request: HttpRequest) -> HttpResponse:
    """The page's cookie and CSRF token → a 5-minute access token; a visitor becomes a guest where guests are on."""
    user: Any = await request.auser()
    if not user.is_authenticated:
        if not settings.GUESTS:
            raise Unauthenticated("Sign in first.")
        user = await guests.new(request)
        await alogin(request, user, backend="django.contrib.auth.backends.ModelBackend")
        await request.session.aset_expiry(guests.SESSION_SECONDS)
    family = families.of_session(str(request.session.session_key))
    name = "Guest" if user.is_guest else user.get_username()
    return json_response(
        {
            "access": tokens.access_for(user, family=family),
            "expires_in": 300,
            "user": {"name": name, "guest": user.is_guest},
        }
    )


@api("POST")
async def ticket(request: HttpRequest) -> HttpResponse:
    """Bearer → `{"ticket", "expires_in"}`."""
    user = await tokens.authenticate(request)
    await limits.spend("ticket", user=user.pk)
    return json_response({"ticket": await tickets.give(user), "expires_in": tickets.SECONDS})


async def spend_try(account: str, address: str, rates: str = "login") -> None:
    """Count a try to sign in; that there were too many is written to the audit log."""
    try:
        await limits.spend(rates, account=account, ip=address)
    except ResourceExhausted:
        await sync_to_async(audit.record_throttled)(account, address)
        raise


def limited(
    page: Callable[..., Any], rates: str = "login", field: str = "username", *, of_user: bool = False
) -> Callable[..., Any]:
    """A page that takes passwords or codes (ours, the admin's) under the API's own limit of tries, counted for the
    account that the field names, or for whoever is signed in (`of_user`): 429 with `Retry-After` over it."""

    @wraps(page)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST":
            try:
                account = request.user.get_username() if of_user else request.POST.get(field, "")
                async_to_sync(spend_try)(account, limits.address(request), rates)
            except ResourceExhausted as error:
                response = errors.page(request, 429, (_("Too many tries"), error.message))
                response.headers["Retry-After"] = str(error.retry_after)
                return response
        return page(request, *args, **kwargs)

    return answer
