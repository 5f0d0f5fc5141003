"""`/v2/push`: Web Push subscriptions, for notifications of answers while the page is not visible."""

from functools import partial

import msgspec
from django.http import HttpResponse

from chat.accounts import keys, tokens
from chat.protocol.errors import InvalidArgument, NotFound
from chat.push import endpoint, subscriptions
from chat.push.encryption import Recipient
from chat.push.subscriptions import Browser
from chat.views.api import Request, api, body

OFF = "Web Push is off on this site: its operator turns it on with `manage.py make_push_keys`."
UNKNOWN = "This browser has no subscription of yours."


class SubscriptionKeys(msgspec.Struct, forbid_unknown_fields=True):
    """The subscription's keys, in base64url."""

    p256dh: str
    auth: str


class SubscriptionBody(msgspec.Struct, forbid_unknown_fields=True):
    """A browser's `PushSubscription` as its `toJSON` writes it (https://www.w3.org/TR/push-api/)."""

    endpoint: str
    keys: SubscriptionKeys
    expirationTime: float | None = None


class SubscriptionEnd(msgspec.Struct, forbid_unknown_fields=True):
    """The body of DELETE."""

    endpoint: str


@api("POST", "PATCH", "DELETE")
async def index(request: Request) -> HttpResponse:
    """POST stores a subscription, PATCH binds it to the present sign-in, DELETE removes it; all are idempotent."""
    user = await tokens.authenticate(request, needs=keys.SIGN_IN)
    if not request.process.notices.public_key:
        raise NotFound(OFF)
    write = request.process.log.write
    if request.method == "DELETE":
        await write(partial(subscriptions.remove, user, body(request, SubscriptionEnd).endpoint))
    elif request.method == "POST":
        await write(partial(subscriptions.keep, user, browser_of(body(request, SubscriptionBody))))
    elif not await write(partial(subscriptions.renew, user, browser_of(body(request, SubscriptionBody)))):
        raise NotFound(UNKNOWN)
    return HttpResponse(status=204)


def browser_of(given: SubscriptionBody) -> Browser:
    """The subscription as it is stored. InvalidArgument if its endpoint or its keys are not valid."""
    endpoint.check(given.endpoint)
    try:
        Recipient(given.keys.p256dh, given.keys.auth)
    except ValueError:
        raise InvalidArgument("These are not the keys of a push subscription.") from None
    return Browser(given.endpoint, given.keys.p256dh, given.keys.auth)
