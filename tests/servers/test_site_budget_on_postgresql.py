"""The site's budget of a day on PostgreSQL, where several workers count at one moment."""

import asyncio
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import httpx

from tests.equality import query
from tests.servers.postgres import Postgres
from tests.servers.wondercam import Serve, manage, settings

MOST = 10
PEOPLE = 30

PROGRAM = """
import threading
import django; django.setup()
from django.db import connection, transaction
from chat import limits
from chat.models import SiteUse, User
from chat.protocol.errors import ResourceExhausted

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
alice, bob = [User.objects.create_user(name) for name in ("alice", "bob")]
counted, go, said = threading.Event(), threading.Event(), {}

def ask(user, last):
    try:
        with transaction.atomic():
            limits.spend_question(user.pk)
            counted.set()
            if not last:
                go.wait(60)
        said[user.username] = "asked"
    except ResourceExhausted as refused:
        said[user.username] = refused.message.partition(":")[0]
    finally:
        counted.set()
        connection.close()

first, second = [threading.Thread(target=ask, args=given) for given in ((alice, False), (bob, True))]
first.start()
counted.wait(60)
second.start()
with connection.cursor() as cursor:
    while second.is_alive() and not cursor.execute(WAITING).fetchone()[0]:
        pass
go.set()
first.join(), second.join()
print(said["alice"], "|", said["bob"], "|", SiteUse.objects.get().questions)
"""


def test_a_question_waits_for_one_that_is_not_stored_yet(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.new_database()
    limits = {"WONDERCAM_LIMITS": "on", "WONDERCAM_LIMIT_DAY_QUESTIONS_SITE": "1"}
    environment = settings(tmp_path, {"DATABASE_URL": address, **limits})
    postgres.migrate(address, partial(manage, "migrate", "--noinput", "--verbosity", "0", env=environment))
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "asked | This site has been asked as often as one day allows, 1 | 1\n", done.stderr


async def test_of_many_at_two_workers_not_one_too_many_is_answered(serve: Serve, postgres: Postgres) -> None:
    limits = {"WONDERCAM_LIMITS": "on", "WONDERCAM_LIMIT_DAY_QUESTIONS_SITE": str(MOST)}
    lifted = {f"WONDERCAM_LIMIT_{name}": "1000" for name in ("GUEST_IP", "GUESTS", "CHAT_IP", "STREAMS_NETWORK")}
    models = {"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDING_SPEED": "0"}
    environment = {"DATABASE_URL": postgres.new_database(), **models, **limits, **lifted}
    server = await asyncio.to_thread(serve, environment, 2)
    async with httpx.AsyncClient(base_url=server.url, timeout=90) as client:
        tokens = [(await client.post("/v2/auth/guest")).raise_for_status().json()["access"] for _ in range(PEOPLE)]

        async def ask(token: str) -> int:
            body = {"contents": [{"text": "Hi"}]}
            answer = await client.post("/v2/echat", json=body, headers={"Authorization": f"Bearer {token}"})
            return answer.status_code

        statuses = Counter(await asyncio.gather(*map(ask, tokens)))
        stands = await client.get("/v2/me", headers={"Authorization": f"Bearer {tokens[0]}"})
    assert statuses == {200: MOST, 429: PEOPLE - MOST}
    assert query(server, "SELECT COUNT(*) FROM chat_stream") == [(MOST,)]
    assert query(server, "SELECT questions FROM chat_siteuse") == [(MOST,)]
    assert stands.json()["today"]["site"] == "used_up"
