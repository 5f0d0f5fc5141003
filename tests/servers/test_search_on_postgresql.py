"""Search on PostgreSQL: the same is found as on SQLite, by an index of pg_trgm and without it."""

import os
import subprocess
import sys

PROGRAM = """
import django; django.setup()
from asgiref.sync import async_to_sync, sync_to_async
from django.core.management import call_command
from django.db import connection, transaction
from chat import search
from chat.models import SearchText, User
from tests.unit.test_search import FOUND, TEXTS, talk

call_command("migrate", verbosity=0)
ada = User.objects.create_user("ada")
chats = [talk(ada, title, *said) for title, said in TEXTS.items()]

async def write(job):
    return await sync_to_async(transaction.atomic(job))()

def found(query):
    async_to_sync(search.catch_up)(ada.pk, write)
    return [chat.title for chat in search.found(ada.pk, query).order_by("-updated_at")]

def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []

print("index", ask("SELECT indexdef LIKE '%gin_trgm_ops%' FROM pg_indexes WHERE indexname = '" + search.TRIGRAMS + "'"))
print("found", {query: found(query) for query in FOUND} == FOUND)
for way in ("seqscan", "indexscan"):  # of so few rows all are read sooner
    ask(f"SET enable_{way} = off")
plan = "".join(ask("EXPLAIN SELECT id FROM chat_searchtext WHERE text LIKE '%lighthouse%'"))
print("used", search.TRIGRAMS in plan)
ask("DROP INDEX " + search.TRIGRAMS)
print("found", {query: found(query) for query in FOUND} == FOUND)
chats[0].title = "Heaven"
chats[0].save()
print("again", found("heaven"), found("sky blue"))
chats[0].delete()
print("gone", found("heaven"), SearchText.objects.count())
"""

SAID = """index [True]
found True
used True
found True
again ['Heaven'] ['Heaven']
gone [] 3
"""


def test_every_word_is_found_with_an_index_and_without(postgres_url):
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert done.stdout == SAID, done.stderr
