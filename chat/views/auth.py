"""`/v2/auth/…` and `/v2/tickets`: sign-in and sign-out of the API, the page's access token, tickets for EventSource."""

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
    """The body of `POST /v2/auth/token`."""

    username: str
    password: str


class Refresh(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /v2/auth/refresh` and `/v2/auth/logout`."""

    refresh: str


@api("POST")
async def token(request: HttpRequest) -> HttpResponse:
    """`{"username", "password"}` → `{"access", "refresh"}`. The same 401 for a wrong name and a wrong password."""
    given = body(request, TokenBody)
    await spend_try(given.username, limits.address(request))
    user = await passwords.holder(given.username, given.password)
    if user is None:
        raise Unauthenticated("The user name or the password is wrong.")
    return json_response(await sync_to_async(signed_in)(request, user))


def signed_in(request: HttpRequest, user: User) -> dict[str, str]:
    """The first pair of tokens of a sign-in, which is recorded in the audit log."""
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
    """`{"refresh"}` → 204: no token of the same sign-in is accepted from now on."""
    given = body(request, Refresh)
    await sync_to_async(tokens.revoke)(given.refresh)
    return HttpResponse(status=204)


@api("POST")
async def guest(request: HttpRequest) -> HttpResponse:
    """A pair of tokens for a new guest, if the site has guests."""
    return json_response(await guests.new_pair(request))


@api("POST", csrf=True)
async def session(request: HttpRequest) -> HttpResponse:
    """A 5-minute access token for the page's session cookie and CSRF token. A visitor without an account becomes a
    guest, if the site has guests."""
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
    """A ticket for the user of the token: `{"ticket", "expires_in"}`."""
    user = await tokens.authenticate(request)
    await limits.spend("ticket", user=user.pk)
    return json_response({"ticket": await tickets.give(user), "expires_in": tickets.SECONDS})


async def spend_try(account: str, address: str, rates: str = "login") -> None:
    """Count an attempt to sign in; attempts over the limit are recorded in the audit log."""
    try:
        await limits.spend(rates, account=account, ip=address)
    except ResourceExhausted:
        await sync_to_async(audit.record_throttled)(account, address)
        raise


def limited(
    page: Callable[..., Any], rates: str = "login", field: str = "username", *, of_user: bool = False
) -> Callable[..., Any]:
    """Decorate a page that takes passwords or codes with the API's limit of attempts: 429 with `Retry-After` over it.

    Attempts count for the account named by the form's `field`, or with `of_user` for the signed-in user."""

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
