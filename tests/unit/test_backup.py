"""`backup` without a database file, and with PostgreSQL; the copy itself is tested beside a running server."""

import sqlite3

import pytest
from django.core.management import CommandError

from chat.management.commands import backup

POSTGRES = {"HOST": "db.example", "PORT": 5433, "USER": "wonder cam", "NAME": "chat", "PASSWORD": "secret"}


def test_postgresql_gets_the_exact_commands_and_no_password():
    said = backup.advice("of monday.dump", POSTGRES)
    options = "--host=db.example --port=5433 '--username=wonder cam' --dbname=chat"
    assert f"(umask 077 && pg_dump --format=custom {options} '--file=of monday.dump')" in said
    assert f"pg_restore --clean --if-exists --no-owner {options} 'of monday.dump'" in said
    assert f"psql {options} '--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public'" in said
    assert "secret" not in said


def test_a_database_that_is_not_there_is_said_and_no_file_is_made(tmp_path):
    with pytest.raises(CommandError, match="There is no database file"):
        backup.back_up(tmp_path / "none.sqlite3", tmp_path / "copy", print)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_said_and_no_file_is_left(tmp_path):
    (tmp_path / "source").write_bytes(b"x" * 10_000)
    with pytest.raises(CommandError, match=r"The back-up was not made: .* is removed\."):
        backup.back_up(tmp_path / "source", tmp_path / "copy", print)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("left", [50, 4_096, 8_192, 20_480, 20_580])
def test_of_a_database_that_is_cut_off_it_is_said_that_it_is_the_one_at_fault(tmp_path, left):
    source = tmp_path / "source"
    database = sqlite3.connect(source)
    database.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))")
    database.close()
    source.write_bytes(source.read_bytes()[:left])
    with pytest.raises(CommandError, match=rf"the database {source} itself is damaged \(.*\): restore it"):
        backup.back_up(source, tmp_path / "copy", print)
    assert not (tmp_path / "copy").exists()


def test_an_empty_file_is_no_database_to_back_up(tmp_path):
    (tmp_path / "source").touch()
    with pytest.raises(CommandError, match="source is an empty database"):
        backup.back_up(tmp_path / "source", tmp_path / "copy", print)


def test_a_copy_that_is_not_sound_is_refused(tmp_path):
    path = tmp_path / "copy"
    database = sqlite3.connect(path)
    database.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))")
    database.close()
    backup.check(path)
    path.write_bytes(path.read_bytes()[:8_192])
    with pytest.raises(sqlite3.Error):
        backup.check(path)
