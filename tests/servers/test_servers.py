"""The real servers the tests stand on: each starts, answers, and goes away when it should."""

import httpx
import psycopg
import pytest
from playwright.async_api import Page

from tests.servers.nginx import StartNginx
from tests.servers.postgres import Postgres
from tests.servers.process import Process, accepts, wait_until
from tests.servers.redis import Redis
from tests.servers.wondercam import Serve


def test_postgres_gives_each_test_an_empty_database(postgres: Postgres, postgres_url: str) -> None:
    assert postgres_url != postgres.new_database()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_postgres_comes_back_after_an_outage(postgres: Postgres) -> None:
    postgres.stop()
    assert not accepts(postgres.port)
    postgres.start()
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_redis_is_empty_after_a_restart(redis: Redis) -> None:
    redis.command("SET", "word", "kept")
    assert redis.command("GET", "word").strip() == "kept"
    redis.restart()
    assert redis.command("GET", "word").strip() == ""


def test_nginx_serves_what_it_is_given(nginx: StartNginx) -> None:
    server = nginx("server { listen 127.0.0.1:PORT; location / { return 200 'hello'; } }")
    assert httpx.get(server.url, timeout=90).text == "hello"


def test_nginx_says_what_is_wrong_with_a_configuration(nginx: StartNginx) -> None:
    with pytest.raises(RuntimeError, match="unknown directive"):
        nginx("server { listen 127.0.0.1:PORT; no_such_thing on; }")


async def test_the_browser_opens_a_page(page: Page) -> None:
    await page.set_content("<title>Hello</title><p>there</p>")
    assert await page.title() == "Hello"
    assert await page.inner_text("p") == "there"


def test_a_process_that_ends_early_says_what_it_printed() -> None:
    process = Process(["/bin/sh", "-c", "echo sorry; exit 3"])
    with pytest.raises(RuntimeError, match=r"(?s)ended with 3.*sorry"):
        process.wait_for_line("Listening")


def test_the_server_is_the_same_after_kill_9_and_a_restart(serve: Serve) -> None:
    server = serve()
    token = server.guest()
    server.kill9()
    assert not accepts(server.port)
    server.restart()
    with server.client(token) as client:
        assert client.get("/v2/conversations").json()["conversations"] == []
    assert server.terminate() == 0


A_MESSAGE = """
WITH chat AS (
    INSERT INTO chat_conversation (id, user_id, title, pinned, system, created_at, updated_at)
    SELECT gen_random_uuid(), id, '', false, '', now(), now() FROM chat_user LIMIT 1 RETURNING id)
INSERT INTO chat_message (id, conversation_id, role, parts, position, created_at)
SELECT gen_random_uuid(), id, 'user', '[{"text": "Hello"}]', 0, now() FROM chat
"""


def test_the_server_runs_on_postgres(serve: Serve, postgres_url: str) -> None:
    server = serve({"DATABASE_URL": postgres_url})
    assert httpx.get(f"{server.url}/healthz", timeout=90).status_code == 200
    assert server.guest()
    with psycopg.connect(postgres_url, autocommit=True) as database:
        database.execute(A_MESSAGE)
        wait_until(
            lambda: database.execute("SELECT is_indexed FROM chat_message").fetchone() == (True,), "it is indexed"
        )
