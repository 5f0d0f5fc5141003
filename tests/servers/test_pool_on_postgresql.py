"""A worker whose PostgreSQL connections are all taken says so, as any 503, and goes on when one is free."""

import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.servers.postgres import Postgres
from tests.servers.wondercam import manage, settings

PROGRAM = """
import django; django.setup()
from django.db import connection
from django.test import Client
from chat.accounts import tokens
from chat.models import User

token = tokens.issue(User.objects.create_user("ann"))["access"]

def ask():
    return Client().get("/v2/conversations", headers={"Authorization": f"Bearer {token}"})

connection.close()
pool = connection.pool
held = [pool.getconn() for _ in range(2)]
refused = ask()
print(refused.status_code, refused.json()["error"], refused["Retry-After"])
for each in held:
    pool.putconn(each)
print(ask().status_code)
connection.close()
pool.close()
"""

SAID = """503 {'code': 503, 'status': 'UNAVAILABLE', 'message': \
'No connection to the database became free in time: try again in a moment.'} 1
200
"""


def test_a_full_pool_is_a_503_with_a_true_sentence_and_ends_with_its_cause(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.new_database()
    more = {"DATABASE_URL": address, "DATABASE_POOL": "2", "ALLOWED_HOSTS": "testserver", "WONDERCAM_HTTPS": "0"}
    environment = settings(tmp_path, more)
    postgres.migrate(address, partial(manage, "migrate", "--noinput", "--verbosity", "0", env=environment))
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.returncode) == (SAID, 0), done.stderr
