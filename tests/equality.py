"""The property that everything rests on: state after applying the events equals state fetched fresh.

The text in the database = of `follow` from the start = of `follow` from the middle, appended = of the conversation =
in the admin = of `replay_stream` = in the page, where there is one; and the stream's row says of its end what its last
event says. Every journey calls `equal`, or `equal_in_page`.
"""

import asyncio
import html
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from chat.models import User
from chat.protocol import events
from chat.protocol.events import Event
from tests.faults.reader import Reader
from tests.servers.wondercam import WonderCam


def query(server: WonderCam, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask the server's database itself, past the server; `?` stands for a value, and ids are given as text."""
    if address := server.env.get("DATABASE_URL"):
        with psycopg.connect(address, autocommit=True) as connection:
            return connection.execute(sql.replace("?", "%s").encode(), values).fetchall()
    file = server.data_dir / "wondercam.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)) as database:
        plain = [value.replace("-", "") if isinstance(value, str) and len(value) == 36 else value for value in values]
        return database.execute(sql, plain).fetchall()


def stored(server: WonderCam, stream_id: str) -> list[Event]:
    """The stream's rows in the log."""
    rows = query(server, 'SELECT seq, "at", data FROM chat_event WHERE stream_id = ? ORDER BY seq', stream_id)
    return [Event(*row) for row in rows]


def row_of(server: WonderCam, stream_id: str) -> dict[str, Any]:
    """The stream's own row: status, last_seq, error, and the parts of its answer."""
    sql = (
        "SELECT s.status, s.last_seq, s.error, m.parts FROM chat_stream s "
        "JOIN chat_message m ON m.id = s.answer_id WHERE s.id = ?"
    )
    (status, last_seq, error, parts), *_ = query(server, sql, stream_id)
    loaded = [json.loads(value) if isinstance(value, str) else value for value in (error, parts)]
    return {"status": status, "last_seq": last_seq, "error": loaded[0], "parts": loaded[1]}


def text_of(parts: list[dict[str, Any]]) -> str:
    """The text of a message's parts."""
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def check_log(server: WonderCam, stream_id: str) -> list[Event]:
    """An ended stream's log: no hole, one end, at its end, and the row says the same. Returns the log."""
    log, row = stored(server, stream_id), row_of(server, stream_id)
    assert [event.seq for event in log] == list(range(len(log))), "the log has a hole"
    assert log[0].data == events.OK_DATA
    assert [event.at for event in log] == sorted(event.at for event in log), "the stream's clock went back"
    ends = [event.seq for event in log if end_of(event)]
    assert ends == [log[-1].seq], f"ends at {ends} of {log[-1].seq}"
    assert (row["status"], row["last_seq"]) == (end_of(log[-1]), log[-1].seq)
    assert row["error"] == events.decode(log[-1].data).get("error")
    assert text_of(row["parts"]) == events.answer_text(log)
    return log


def end_of(event: Event) -> str:
    """What this event says of the stream's end; empty for an event that is none."""
    response = events.decode(event.data)
    if end := (response.get("wondercam") or {}).get("end"):
        return str(end)
    return events.COMPLETE if "usageMetadata" in response and events.finish_reason(response) else ""


async def equal(server: WonderCam, token: str, stream_id: str, *readers: Reader, replay: bool = True) -> str:
    """Check all of it for an ended stream and everybody who read it; the text."""
    log = check_log(server, stream_id)
    text = events.answer_text(log)
    for reader in readers:
        assert reader.faults == []
        assert reader.shown.items() <= {event.seq: event.data for event in log}.items(), "shown, but not stored"
        assert reader.last == log[-1].seq
    for after in {-1, 0, len(log) // 2, log[-1].seq - 1}:
        fresh = Reader(server.url, token, stream_id, last=after)
        await fresh.once()
        assert fresh.faults == []
        assert fresh.shown == {event.seq: event.data for event in log if event.seq > after}
    assert await conversation_text(server, token, stream_id) == text
    assert await admin_text(server, stream_id) == text
    if replay:
        replayed = await asyncio.to_thread(
            server.manage, "replay_stream", stream_id, "--speed", "0", "--format", "text"
        )
        assert replayed == text
    return text


async def conversation_text(server: WonderCam, token: str, stream_id: str) -> str:
    """The answer as the conversation's transcript has it."""
    conversation, _ = home_of(server, stream_id)
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=90
    ) as client:
        found = await client.get(f"/v2/conversations/{conversation}")
    messages = found.raise_for_status().json()["messages"]
    [message] = [each for each in messages if (each["stream"] or {}).get("id") == stream_id]
    assert message["text"] == text_of(message["parts"])
    return str(message["text"])


def newest(server: WonderCam) -> str:
    """The id of the stream that began last."""
    [(found,)] = query(server, "SELECT id FROM chat_stream ORDER BY created_at DESC LIMIT 1")
    return str(UUID(str(found)))


def home_of(server: WonderCam, stream_id: str) -> tuple[UUID, UUID]:
    """The stream's conversation, and its answer there."""
    [found] = query(server, "SELECT conversation_id, answer_id FROM chat_stream WHERE id = ?", stream_id)
    return UUID(str(found[0])), UUID(str(found[1]))


def reviewer(server: WonderCam) -> str:
    """The cookie of a superuser who is signed in. Written past the server: a command of its own takes a second."""
    user = User(username=f"reviewer-{uuid4()}", password="!", is_staff=True, is_superuser=True)
    fields = [field for field in User._meta.concrete_fields if not field.primary_key]
    row = {str(field.column): getattr(user, field.attname) for field in fields}
    [(pk,)] = change(server, *inserting(User._meta.db_table, {**row, "date_joined": moment()}, "RETURNING id"))
    claims = {
        SESSION_KEY: str(pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    session = {"session_key": uuid4().hex, "session_data": SessionStore().encode(claims), "expire_date": moment(days=1)}
    change(server, *inserting("django_session", session))
    return f"{settings.SESSION_COOKIE_NAME}={session['session_key']}"


def moment(**later: int) -> str:
    """A time from now, as both databases take it."""
    return f"{datetime.now(UTC).replace(tzinfo=None) + timedelta(**later)}"


def inserting(table: str, row: dict[str, Any], then: str = "") -> tuple[Any, ...]:
    """The statement that inserts a row, and its values."""
    names, places = ", ".join(row), ", ".join("?" * len(row))
    return f"INSERT INTO {table} ({names}) VALUES ({places}) {then}", *row.values()


def change(server: WonderCam, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Write to the server's database past the server; what the statement returns."""
    if address := server.env.get("DATABASE_URL"):
        with psycopg.connect(address, autocommit=True) as connection:
            done = connection.execute(sql.replace("?", "%s").encode(), values)
            return done.fetchall() if done.description else []
    with closing(sqlite3.connect(server.data_dir / "wondercam.sqlite3", timeout=60)) as database, database:
        return database.execute(sql, values).fetchall()


async def admin_text(server: WonderCam, stream_id: str) -> str:
    """The answer as a reviewer reads it in the admin's transcript, without the model's thoughts."""
    if not server.reviewer:
        server.reviewer = await asyncio.to_thread(reviewer, server)
    conversation, answer = home_of(server, stream_id)
    async with httpx.AsyncClient(base_url=server.url, headers={"Cookie": server.reviewer}, timeout=90) as client:
        found = await client.get(f"/admin/chat/conversation/{conversation}/change/")
    page = re.sub(r'<details class="thought">.*?</details>', "", found.raise_for_status().text, flags=re.DOTALL)
    [message] = re.findall(rf'<li class="message message-model" id="m-{answer}">(.*?)</li>', page, re.DOTALL)
    said = re.findall(r'<div class="said" dir="auto">(.*?)</div>', message, re.DOTALL)
    return "".join(map(html.unescape, said))
