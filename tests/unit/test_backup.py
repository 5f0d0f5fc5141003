"""`backup` where there is nothing to copy, or not by us; the copy itself is tried beside a running server."""

import sqlite3

import pytest
from django.core.management import CommandError

from chat.management.commands import backup
from tests.recorded import run

POSTGRES = {"HOST": "db.example", "PORT": 5433, "USER": "wonder cam", "NAME": "chat", "PASSWORD": "secret"}


def test_postgresql_gets_the_exact_commands_and_no_password():
    said = backup.advice("of monday.dump", POSTGRES)
    options = "--host=db.example --port=5433 '--username=wonder cam' --dbname=chat"
    assert f"(umask 077 && pg_dump --format=custom {options} '--file=of monday.dump')" in said
    assert f"pg_restore --clean --if-exists --no-owner {options} 'of monday.dump'" in said
    assert "secret" not in said


def test_a_database_that_is_not_there_is_said_and_no_file_is_made(tmp_path, settings):
    name = {"NAME": tmp_path / "none.sqlite3"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup.connection, "settings_dict", {**backup.connection.settings_dict, **name})
        with pytest.raises(CommandError, match="There is no database file"):
            run("backup", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_is_not_sound_is_refused(tmp_path):
    path = tmp_path / "copy"
    database = sqlite3.connect(path)
    database.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))")
    database.close()
    backup.check(path)
    path.write_bytes(path.read_bytes()[:8_192])
    with pytest.raises(sqlite3.Error):
        backup.check(path)
