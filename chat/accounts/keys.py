"""Personal API keys of people with an account: creation, deletion, and authentication by a key.

A key is `wc_` and 256 random bits, so it is stored as a plain digest. It is accepted wherever an access token is. A
sign-out or a new password does not revoke it: it ends when it is deleted, when it expires, or with its owner's account.
"""

import hashlib
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, transaction

from chat import limits
from chat.accounts import audit, families
from chat.accounts.claims import Claims
from chat.log import Log
from chat.log.sql import moment
from chat.models import ApiKey, User, known
from chat.protocol.errors import InvalidArgument, NotFound, PermissionDenied, ResourceExhausted, Unauthenticated

PREFIX = "wc_"
PATTERN = r"wc_[\w-]{43}"

CHAT, READ, SIGN_IN = "chat", "read", "sign-in"
SCOPES = (CHAT, READ)
INCLUDED = {CHAT: {CHAT, READ}, READ: {READ}}
"""What each scope permits. None of them includes SIGN_IN: a key cannot create keys."""

NOTED_EVERY = timedelta(hours=1)
"""The resolution of `last_used_at`: the requests of a key update it at most once in this time."""

BAD_KEY = "The API key is unknown, has expired or was ended: make a new one."

HOLDER_OF_KEY = f"""
SELECT holder.id, holder.is_guest, holder.network, holder.token_version, api_key.id, api_key.scopes,
CASE WHEN api_key.last_used_at IS NULL OR api_key.last_used_at < %s THEN 1 ELSE 0 END
FROM {ApiKey._meta.db_table} api_key JOIN {User._meta.db_table} holder ON holder.id = api_key.user_id
WHERE api_key.digest = %s AND holder.is_active AND (api_key.expires_at IS NULL OR api_key.expires_at > %s)
"""


async def holder(raw: str, needed: str, log: Log) -> User:
    """The key's owner, by one query. Unauthenticated if the key is not valid, PermissionDenied if its scopes do not
    include `needed`."""
    now = datetime.now(UTC)
    asked = (moment(now - NOTED_EVERY), digest(raw), moment(now))
    found = await log.fetch(HOLDER_OF_KEY, asked)
    if not found:
        raise Unauthenticated(BAD_KEY)
    number, is_guest, network, version, key, scopes, is_stale = found[0]
    if not any(needed in INCLUDED[scope] for scope in scopes.split()):
        raise PermissionDenied(refusal(needed))
    if is_stale:
        with suppress(DatabaseError):  # the request is valid whether this can be stored or not
            await ApiKey.objects.filter(pk=key).aupdate(last_used_at=now)
    user = known(User, id=number, is_guest=bool(is_guest), network=network)
    user.claims = Claims(number, version, family_of(key), "")
    return user


def refusal(needed: str) -> str:
    """The sentence for a key without the scope `needed`."""
    if needed == SIGN_IN:
        return "An API key may not do this: sign in, and use the access token."
    return f"This API key may not do this: make one with the scope `{needed}`."


def give(
    user: User, name: str, scopes: list[str], expires_at: datetime | None, address: str = ""
) -> tuple[ApiKey, str]:
    """Create a key; returns its row and the key itself, which cannot be shown again.

    PermissionDenied for guests, InvalidArgument for unknown scopes or a past expiry, ResourceExhausted if the user has
    `WONDERCAM_LIMIT_KEYS_USER` keys.
    """
    if user.is_guest:
        raise PermissionDenied("API keys are for people with an account: sign up first.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise InvalidArgument(f"There is no scope {unknown[0][:40]!r}: it is {' or '.join(SCOPES)}.")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidArgument("`expires` is over already: name a moment to come.")
    raw = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        owner = User.objects.select_for_update().get(pk=user.pk)
        if ApiKey.objects.for_user(user.pk).count() >= limits.of("KEYS_USER"):
            raise ResourceExhausted("You have as many API keys as one may have: end one first.")
        kept = {"digest": digest(raw), "hint": raw[:8], "scopes": " ".join(sorted(set(scopes) or set(SCOPES)))}
        key = ApiKey.objects.create(user_id=user.pk, name=name, expires_at=expires_at, **kept)
        audit.record(audit.Action.KEY_MADE, who=owner, target=str(key), address=address)
    return key, raw


def end(user: User, key_id: object, address: str = "") -> None:
    """Delete the user's key, and stop the turns that it started. NotFound for unknown and foreign ids."""
    key = ApiKey.objects.for_user(user.pk).select_related("user").filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such API key.")
    end_for(key.user, key, address)


def end_for(who: User, key: ApiKey, address: str) -> None:
    """Delete a key, and stop the turns that it started, for its owner or for staff who may delete keys."""
    with transaction.atomic():
        families.end(family_of(key.pk))
        target = str(key) if who.pk == key.user_id else f"{key} of {key.user.get_username()}"
        audit.record(audit.Action.KEY_ENDED, who=who, target=target, address=address)
        key.delete()


def family_of(key_id: object) -> str:
    """The token family (`families.py`) of a key's tickets, readers and turns, which ends with the key."""
    return f"key-{str(key_id).replace('-', '')}"


def digest(raw: str) -> str:
    """The SHA-256 digest, in hex, that is stored for a key."""
    return hashlib.sha256(raw.encode()).hexdigest()
