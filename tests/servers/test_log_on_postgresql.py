"""The log on PostgreSQL: the event loop commits on a connection of its own, fenced and in order, whatever breaks."""

import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.servers.postgres import Postgres
from tests.servers.wondercam import manage, settings

PROGRAM = """
import asyncio, threading
import django; django.setup()
from uuid import uuid4
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.utils import timezone
from chat import limits
from chat.log import Log
from chat.log.fence import FIRST_EPOCH
from chat.log.sql import CONVERSATIONS, NotOnTheLoop, insert
from chat.models import DailyUse, Message, Stream, User
from chat.protocol import events
from chat.protocol.errors import NotFound, ResourceExhausted
from chat.turns import leases
from tests.inside import an_end, new_stream

OURS = "application_name = 'WonderCam, the event loop'"
DATA = '{"text":"“quoted” \\\\\\\\ \\'single\\' {braces}, NULL\\\\n"}'
NAMES = iter(range(1000))

def rows(stream):
    return list(stream.events.order_by("seq").values_list("seq", "data"))

def whole(stream, last, data=DATA):
    return rows(stream)[1:] == [(seq, data) for seq in range(1, last + 1)]

def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []

async def outside(function, *arguments):
    return await sync_to_async(function)(*arguments)

async def new():
    return await outside(lambda: new_stream(f"user {next(NAMES)}"))

def tail_of(log, stream):
    return log.open_tail(stream.pk, FIRST_EPOCH, events.Event(0, 0, events.OK_DATA))

async def failure(tail):
    try:
        await tail.settled()
    except Exception as error:
        return type(error).__name__

async def connected(log):
    while not log._own.connect().is_ready:
        await asyncio.sleep(0.01)

def in_threads():
    return "log-commit" in {thread.name for thread in threading.enumerate()}

async def stored_and_ended(log):
    one, other = await new(), await new()
    tails = [tail_of(log, one), tail_of(log, other)]
    for seq in range(1, 1201):
        for tail in tails:
            tail.append(seq, DATA)
        if seq % 100 == 0:
            await asyncio.sleep(0)
    for tail in tails:
        tail.append(2000, DATA, an_end())
        await tail.settled()
    await one.arefresh_from_db()
    answer = await Message.objects.aget(stream=one)
    print("stored", await outside(whole, one, 1201), await outside(whole, other, 1201), "by a thread:", in_threads())
    print("ended", one.status, one.last_seq, one.epoch, answer.parts == an_end().parts, tails[0].ended)

async def fenced(log):
    lost, gap, taken, fine = await new(), await new(), await new(), await new()
    await Stream.objects.filter(pk=lost.pk).aupdate(epoch=2)
    await outside(lambda: taken.events.create(seq=1, at=0, data="another worker's"))
    tails = [tail_of(log, stream) for stream in (lost, gap, taken, fine)]
    tails[1].next_seq = 2
    for tail in tails:
        tail.append(1, DATA, an_end() if tail is tails[1] else None)
    failed = [await failure(tail) for tail in tails]
    print("fenced", failed, [len(await outside(rows, row)) for row in (lost, gap, fine)])

def take_over(stream, locked, go):
    with transaction.atomic():
        Stream.objects.select_for_update().get(pk=stream.pk)
        locked.set()
        go.wait(60)
        Stream.objects.filter(pk=stream.pk).update(epoch=2)
    connection.close()

async def taken_over_meanwhile(log):
    stream, free = await new(), await new()
    tail, locked, go = tail_of(log, stream), threading.Event(), threading.Event()
    taking = asyncio.create_task(asyncio.to_thread(take_over, stream, locked, go))
    await asyncio.to_thread(locked.wait, 60)
    tail.append(1, DATA)
    while not await outside(ask, f"SELECT 1 FROM pg_stat_activity WHERE {OURS} AND wait_event_type = 'Lock'"):
        await asyncio.sleep(0.01)
    go.set()
    await taking
    print("taken over", await failure(tail), len(await outside(rows, stream)))

async def cut(log):
    stream = await new()
    tail = tail_of(log, stream)
    for seq in range(1, 61):
        tail.append(seq, DATA, an_end() if seq == 60 else None)
        if seq in (10, 40, 60):
            await asyncio.sleep(0)
            await outside(ask, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}")
        if seq == 30:
            await connected(log)
    print("cut", await failure(tail), await outside(whole, stream, 60), tail.ended)
    await connected(log)

def end_held(stream, locked, go):
    with transaction.atomic():
        Stream.objects.filter(pk=stream.pk).update(epoch=2)
        locked.set()
        go.wait(60)
    connection.close()

def renewed_with(streams):
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
    return leases.renew([stream.pk for stream in streams], streams[0].worker)

async def renewed_beside_an_end(log):
    streams, locked, go = [await new(), await new()], threading.Event(), threading.Event()
    ending = asyncio.create_task(asyncio.to_thread(end_held, streams[0], locked, go))
    await asyncio.to_thread(locked.wait, 60)
    print("renewed", await outside(renewed_with, streams))
    go.set()
    await ending

async def read(log):
    stream = await new()
    name = stream.worker
    await Stream.objects.exclude(pk=stream.pk).aupdate(status="complete")
    mine, nobodys = await log.fetch(leases.MINE, [name]), await log.fetch(leases.MINE, ["nobody"])
    print("read", mine == [(stream.pk, False)], nobodys)

def job(user, *, refused=None, title="Noted"):
    def noted(database):
        limits.check_streams(user.pk, database, is_guest=True)
        limits.spend_question(user.pk, database, is_guest=True)
        now = timezone.now()
        insert(database.execute, CONVERSATIONS, (uuid4(), user.pk, title, False, "", now, now))
        if refused is not None:
            database.verify("SELECT %s::int + %s", (1, 2), refused)
        return user.pk
    return noted

def refuse(found):
    assert found == [(3,)], found
    raise NotFound("no")

def leave_to_the_thread(found):
    raise NotOnTheLoop

def budget_of(user):
    return list(DailyUse.objects.filter(user=user).values_list("questions", flat=True))

async def jobs(log):
    one, other, full = [await User.objects.acreate(username=f"guest {n}", is_guest=True) for n in range(3)]
    made = await asyncio.gather(
        log.write_by_loop(job(one), one.pk),
        log.write_by_loop(job(other, refused=refuse), other.pk),
        log.write_by_loop(job(other, refused=leave_to_the_thread), other.pk),
        log.write_by_loop(job(one), one.pk),
        log.write_by_loop(job(one), one.pk),
        return_exceptions=True,
    )
    print("jobs", ["stored" if each == one.pk else each and type(each).__name__ for each in made])
    stored = await outside(lambda: [(user.conversations.count(), budget_of(user)) for user in (one, other)])
    print("jobs stored", stored, "by a thread:", in_threads())
    await outside(lambda: [new_stream("guest 2") for _ in range(3)])
    try:
        await log.write_by_loop(job(full), full.pk)
    except ResourceExhausted as refused:
        print("refused:", refused)

async def jobs_without_a_connection(log):
    user = await User.objects.acreate(username="without")
    link = log._own.connect().jobs._link
    asked = [asyncio.create_task(log.write_by_loop(job(user), user.pk)) for _ in range(20)]
    await asyncio.sleep(0)
    pipeline, link.pipeline = link.pipeline, None
    made = await asyncio.gather(*asked)
    link.pipeline = pipeline
    again = await log.write_by_loop(job(user), user.pk)
    print("jobs refused", set(made), again == user.pk, await outside(user.conversations.count))

async def main():
    log = Log()
    await log.open(redis=False, on_stop=print)
    await connected(log)
    parts = (jobs, jobs_without_a_connection, stored_and_ended, fenced, taken_over_meanwhile, renewed_beside_an_end)
    for part in (*parts, cut, read):
        await part(log)
    stream = await new()
    tail = tail_of(log, stream)
    for seq in range(1, 101):
        tail.append(seq, DATA)
    await asyncio.sleep(0)
    await log.close()
    while await outside(ask, f"SELECT 1 FROM pg_stat_activity WHERE {OURS}"):  # the server notices a little later
        await asyncio.sleep(0.01)
    print("closed", await outside(whole, stream, 100))

asyncio.run(asyncio.wait_for(main(), 240))
connection.close()
"""

SAID = """jobs ['stored', 'NotFound', None, 'stored', None]
jobs stored [(2, [2]), (0, [])] by a thread: False
refused: Another answer is still being written: wait for it, or stop it.
jobs refused {None} True 1
stored True True by a thread: False
ended complete 1201 2 True True
fenced ['LeaseLost', 'HoleInLog', 'LeaseLost', None] [1, 1, 2]
taken over LeaseLost 1
renewed 1
cut None True True
read True []
closed True
"""


def test_what_the_event_loop_commits_is_whole_fenced_and_in_order(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.new_database()
    limits = {"WONDERCAM_LIMITS": "1", "WONDERCAM_LIMIT_DAY_QUESTIONS_GUEST": "2", "WONDERCAM_LIMIT_STREAMS_USER": "3"}
    environment = settings(tmp_path, {"DATABASE_URL": address, **limits})
    postgres.migrate(address, partial(manage, "migrate", "--noinput", "--verbosity", "0", env=environment))
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.returncode) == (SAID, 0), done.stderr
