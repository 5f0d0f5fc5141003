"""The events on PostgreSQL are partitioned by time: a table with rows is, and goes on; old ones go a partition at a
time, and what is to stay does."""

import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.servers.postgres import Postgres
from tests.servers.wondercam import manage, settings

PROGRAM = """
import asyncio, logging
import django; django.setup()
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID, uuid4
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import connect
from chat import retention
from chat.log import postgres_partitions
from chat.log.fence import FIRST_EPOCH, insert_events
from chat.log.pages import stored_events
from chat.log.sql import django_execute, in_transaction
from chat.models import Conversation, Event, Message, Stream, User
from chat.protocol import events, ids

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DATA = events.encode(events.delta("word "))
NOTHING = {"conversations": 0, "recordings": 0, "photos": 0, "guests": 0}
ann, _ = User.objects.get_or_create(username="ann")
PLAIN = (
    "CREATE TABLE plain (LIKE chat_event INCLUDING ALL)",
    "INSERT INTO plain SELECT * FROM chat_event",
    "DROP TABLE chat_event",
    "ALTER TABLE plain RENAME TO chat_event",
    "ALTER INDEX plain_pkey RENAME TO chat_event_pkey",
    "ALTER TABLE chat_event ADD FOREIGN KEY (stream_id) REFERENCES chat_stream DEFERRABLE INITIALLY DEFERRED",
)

def at(day, hour=12):
    return TODAY + timedelta(days=day, hours=hour)

def made(day, pk=None, count=3):
    "An answer of that day, whose text nobody has put together: running until it is said to have ended."
    moment = at(day)
    pk = pk or UUID(int=ids.first_of(int(moment.timestamp())).int | uuid4().int >> 54)
    answer = Message.objects.create(conversation=Conversation.objects.create(user=ann), role=Message.MODEL)
    row = {"conversation": answer.conversation, "answer": answer, "provider": "local", "model": "tiny"}
    stream = Stream.objects.create(pk=pk, user=ann, created_at=moment, **row)
    append(stream, 0, count)
    return stream

def append(stream, first, behind):
    insert_events(django_execute, [(stream.pk, seq, seq, DATA, FIRST_EPOCH) for seq in range(first, behind)])

def ended(*streams):
    for stream in streams:
        stream.status, stream.last_seq, stream.ended_at = events.COMPLETE, 2, stream.created_at + timedelta(minutes=1)
        stream.save()
    return streams

def whole(*streams):
    read = [[(event.seq, event.data) for event in stored_events(each.pk)] for each in streams]
    return all(each == [(0, DATA), (1, DATA), (2, DATA)] for each in read)

def ask(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

def day_of(name):
    day = name.removeprefix("chat_event_")
    return (datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) - TODAY).days if day.isdigit() else day

def partitions():
    return [day_of(name) for name in sorted(each.name for each in postgres_partitions.listed())]

def places(stream):
    of_stream = "SELECT DISTINCT tableoid::regclass::text FROM chat_event WHERE stream_id = %s"
    return [day_of(name) for (name,) in ask(of_stream, stream.pk)]

def migrate():
    global TODAY
    for name in ("0026_sign_ins_in_the_audit_log", "0027_events_by_time"):
        MigrationExecutor(connection).migrate([("chat", name)])
    newest = MigrationExecutor(connection)
    newest.migrate(newest.loader.graph.leaf_nodes("chat"))
    TODAY = datetime.fromtimestamp(ids.seconds_of(postgres_partitions.listed()[0].end), UTC) - timedelta(days=7)

def migrate_again():
    for statement in PLAIN:
        ask(statement)
    migrate()

def prune(now):
    gone = async_to_sync(retention.once)({**NOTHING, "recordings": 30}, in_transaction, now)
    return {name: number for name, number in gone.items() if number}

def kept(*streams):
    return [Stream.objects.filter(pk=each.pk).exists() for each in streams]

def migrated():
    old, now = ended(made(-40))[0], made(0)
    migrate_again()
    print("migrated", places(old), places(now), whole(old, now), partitions())
    strange = ended(made(0, uuid4()))[0]  # as of recordings made elsewhere
    migrate_again()
    migrate()  # of a table that is partitioned nothing is changed
    print("moved", places(old), places(strange), whole(old, now, strange), partitions())
    checks = ask("SELECT conname FROM pg_constraint WHERE conname = 'chat_event_before'")
    append(now, 3, 4)
    print("goes on", places(now), checks)
    ended(now)
    return strange

def ahead():
    early = made(8)
    print("stored", places(early), whole(early))
    for day in range(5, 10):
        postgres_partitions.make_ahead(at(day), 30)
    print("ahead", partitions(), places(early), whole(early))
    postgres_partitions.make_ahead(at(9), 30)
    append(early, 3, 4)
    print("again", partitions(), places(early))
    early.delete()

def pruned(strange):
    days = [ended(made(8), made(8)), ended(made(9)) + (made(9),)]
    texts = [each.answer for each in days[0]]
    print("too early", prune(at(38, 18)), partitions(), kept(strange, *days[0]), whole(*days[0]))
    print("a day", prune(at(39)), partitions(), kept(*days[0]), Event.objects.filter(stream__in=days[0]).count())
    for each in texts:
        each.refresh_from_db()
    print("said", {each.text for each in texts})
    print("running", prune(at(40)), partitions(), kept(*days[1]), whole(days[1][1]))
    ended(days[1][1])
    print("ended", prune(at(40)), partitions(), kept(*days[1]))

async def in_use(partition):
    "Somebody reads the table all the time, until a drop was refused once."
    refused = asyncio.Event()
    loop, log = asyncio.get_running_loop(), logging.getLogger("chat.log.postgres_partitions")
    handler = logging.Handler()
    handler.emit = lambda record: loop.call_soon_threadsafe(refused.set)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    given = connection.get_connection_params()
    given.pop("cursor_factory", None)
    with connect(**given) as reader:
        reader.execute("SELECT 1 FROM chat_event LIMIT 1")
        dropping = asyncio.create_task(postgres_partitions.drop(partition))
        await refused.wait()
        reader.rollback()
        return await dropping

def by_command():
    days = [ids.first_of(int(at(day, 0).timestamp())) for day in (-50, -49)]
    ask(f"CREATE TABLE chat_event_old PARTITION OF chat_event FOR VALUES FROM ('{days[0]}') TO ('{days[1]}')")
    old, later = ended(made(-50), made(-45))
    for age in ("60d", "47d", "40d"):
        call_command("prune_streams", "--older-than", age, stdout=StringIO())
        print(age, "old" in partitions(), places(old), places(later), kept(old, later))

def waited_for():
    empty = postgres_partitions.listed()[0]
    print("in use", asyncio.run(in_use(empty)), empty in postgres_partitions.listed())

def without_the_right():
    ask("CREATE ROLE reader")
    ask("GRANT SELECT ON chat_event TO reader")
    ask("SET ROLE reader")
    found = postgres_partitions.listed()
    ask("RESET ROLE")
    ask("DROP OWNED BY reader")
    ask("DROP ROLE reader")
    print("not the owner's", found, len(postgres_partitions.listed()))

strange = migrated()
ahead()
pruned(strange)
by_command()
waited_for()
without_the_right()
connection.close()
"""

SAID = """migrated ['history'] ['history'] True ['history']
moved ['history'] ['rest'] True ['history']
goes on ['history'] []
stored ['rest'] True
ahead [7, 8, 9, 10, 11, 'history'] [8] True
again [7, 8, 9, 10, 11, 'history'] [8]
too early {'recordings': 3} [8, 9, 10, 11] [False, True, True] True
a day {'recordings': 2} [9, 10, 11] [False, False] 0
said {'word word '}
running {'recordings': 1} [9, 10, 11] [False, True] True
ended {'recordings': 1} [10, 11] [False, False]
60d True ['old'] ['rest'] [True, True]
47d False [] ['rest'] [False, True]
40d False [] [] [False, False]
in use True False
not the owner's [] 1
"""


def test_events_lie_in_partitions_and_go_with_them(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.new_database()
    environment = settings(tmp_path, {"DATABASE_URL": address})
    postgres.migrate(address, partial(manage, "migrate", "--noinput", "--verbosity", "0", env=environment))
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.returncode) == (SAID, 0), done.stderr
