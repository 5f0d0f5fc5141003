"""The statements about accounts that are written by hand, on PostgreSQL."""

import os
import subprocess
import sys

PROGRAM = """
import asyncio
import django; django.setup()
from datetime import UTC, datetime, timedelta
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test.client import RequestFactory
from django.utils import timezone
from chat import limits
from chat.accounts import guests, keys, tickets, tokens
from chat.log.sql import django_execute, key_of
from chat.log.usage import count_spending, count_tokens
from chat.models import Conversation, DailyUse, Message, ModelUse, Stream, User
from chat.process import this_process
from chat.protocol.errors import ApiError

call_command("migrate", verbosity=0)
settings.LIMITS_OFF = False
settings.LIMITS.update(DAY_QUESTIONS=2, STREAMS_NETWORK=1)
log = this_process().log
alice = User.objects.create_user("alice")

def refused(call, *arguments, **options):
    try:
        with transaction.atomic():
            call(*arguments, **options)
    except ApiError as error:
        return error.code
    return 0

def came_by(credential):
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {credential}"})
    request.process = this_process()
    return async_to_sync(tokens.authenticate)(request)

def stream_of(user):
    talk = Conversation.objects.create(user=user)
    answer = Message.objects.create(conversation=talk, role=Message.MODEL)
    return Stream.objects.create(user=user, conversation=talk, answer=answer, created_at=timezone.now())

key, raw = keys.give(alice, "laptop", ["read"], datetime.now(UTC) + timedelta(hours=1))
print("key", came_by(raw) == alice, came_by(raw).claims.family == keys.family_of(key.pk))
keys.end(alice, key.pk)
print("ended", refused(came_by, raw))

print("questions", [refused(limits.spend_question, alice.pk) for _ in range(3)])
count_tokens(django_execute, key_of(stream_of(alice).pk), {"totalTokenCount": 7}, [])
for count in (5, 6):
    count_spending(django_execute, key_of(stream_of(alice).pk), "2026-11-26", {"totalTokenCount": count}, [])
print("spent", list(ModelUse.objects.values_list("day", "answers", "tokens_in", "tokens_out")))
settings.LIMITS["DAY_QUESTIONS_SITE"] = 2
print("all", refused(limits.spend_question, User.objects.create_user("bob").pk))
settings.LIMITS["DAY_QUESTIONS_SITE"] = 3
print("all", refused(limits.spend_question, User.objects.get(username="bob").pk))
User.objects.filter(username="bob").delete()
settings.LIMITS["DAY_QUESTIONS_SITE"] = 0
print("use", list(DailyUse.objects.values_list("questions", "tokens")))

guest = User.objects.create(username="g", is_guest=True, network="n")
print("first", refused(limits.check_streams, guest.pk, is_guest=True))
stream_of(guest)
other = User.objects.create(username="h", is_guest=True, network="n")
print("second", refused(limits.check_streams, other.pk, is_guest=True))

access = tokens.issue(alice)["access"]
alice = came_by(access)
ticket = async_to_sync(tickets.give)(alice)
print("ticket", async_to_sync(tickets.holder)(ticket, log).user == alice)
print("ended", len(tokens.ended({alice.claims})))
User.objects.get(username="alice").end_tokens()
print("ended", len(tokens.ended({alice.claims})), refused(came_by, access))
"""

SAID = """key True True
ended 401
questions [0, 0, 429]
spent [(datetime.date(2026, 11, 26), 2, 11, 0)]
all 429
all 0
use [(2, 7)]
first 0
second 429
ticket True
ended 0
ended 1 401
"""


def test_keys_budgets_places_and_tickets(postgres_url):
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert done.stdout == SAID, done.stderr
