"""System checks of the installation, each with a hint.

    wondercam.E001  the data folder is not writable
    wondercam.E002  the database cannot be read (only `serve` and `check --deploy`, like all slow checks)
    wondercam.E003  REDIS_URL is invalid
    wondercam.E004  the static files are not collected (`serve` and `check --deploy`)
    wondercam.E005  a provider's variable is invalid (chat/checks.py)
    wondercam.E006  the database is behind (`serve` and `check --deploy`)
    wondercam.E007  OTEL_EXPORTER_OTLP_ENDPOINT is not an address (chat/checks.py)
    wondercam.E008  WONDERCAM_METRICS_TOKEN is none that a header can carry (chat/checks.py)
    wondercam.W001  an unknown variable
    wondercam.W002  several workers on SQLite
    wondercam.W003  several workers without Redis
    wondercam.W004  Redis does not respond (`serve` and `check --deploy`)
    wondercam.W005  DEBUG on a site that other machines can reach
    wondercam.W006  plain HTTP (`check --deploy`)
    wondercam.W007  OTEL_EXPORTER_OTLP_ENDPOINT without OpenTelemetry's packages (chat/checks.py)

`manage.py check` reports them; `serve` does not start with an error. An invalid value of a variable (wondercam/env.py)
ends every command before the checks run.
"""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from wondercam.installation import IS_WHEEL, PROGRAM
from wondercam.server.options import Options
from wondercam.variables.unread import unread

START = "wondercam_start"
"""The tag of checks that are slow or connect to other servers."""
REDIS_SECONDS = 2
REDIS_ADDRESS = "Write redis://host:6379/0, rediss:// for TLS, or leave it out: one machine needs no Redis."


@register("wondercam")
def data_folder(**_: Any) -> list[CheckMessage]:
    """Check that the data folder and the SQLite database are writable."""
    places = [Path(settings.DATA_DIR)]
    if (name := sqlite_file()) is not None and name.exists():
        places += [name.parent, name]
    return [
        Error(
            f"{place} cannot be written to by the user that runs this.",
            hint="Give it to that user (chown), or name another folder with WONDERCAM_DATA_DIR.",
            id="wondercam.E001",
        )
        for place in dict.fromkeys(places)
        if not os.access(place, os.W_OK)
    ]


def sqlite_file() -> Path | None:
    """Return the file of the SQLite database; None for other databases."""
    database = settings.DATABASES["default"]
    return Path(database["NAME"]) if database["ENGINE"].endswith("sqlite3") else None


@register("wondercam", START, deploy=True)
def database_answers(**_: Any) -> list[CheckMessage]:
    """Check that the database can be read and has all migrations. No connection stays open."""
    connection = connections["default"]
    try:
        connection.introspection.table_names()
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as wrong:
        file = sqlite_file()
        where = "the database of DATABASE_URL" if file is None else str(file)
        mend = "Is its server running, and are user and password right?" if file is None else sqlite_mend(file)
        return [Error(f"{where} cannot be read: {str(wrong).strip()}.", hint=mend, id="wondercam.E002")]
    finally:
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    if not missing or migrates_itself():
        return []
    return [Error("The database is behind.", hint=f"Run `{PROGRAM} migrate` first.", id="wondercam.E006")]


def sqlite_mend(file: Path) -> str:
    """Return what the operator can do about a file that SQLite cannot read."""
    if file.is_dir() or not file.parent.is_dir():
        return "DATABASE_URL has to name a file, in a folder that exists: sqlite:////path/file.sqlite3."
    return f"Put a back-up in its place, or move it away and run `{PROGRAM} migrate` for an empty one."


def migrates_itself() -> bool:
    """Whether `serve` brings the database up to date as it starts: a SQLite database of the wheel."""
    return IS_WHEEL and sqlite_file() is not None


@register("wondercam")
def redis_address(**_: Any) -> list[CheckMessage]:
    """Check the format of REDIS_URL. The message does not contain it, because it may contain a password."""
    if not settings.REDIS_URL:
        return []
    import redis  # here, because it takes a tenth of a process's start, and most sites have no Redis

    try:
        redis.ConnectionPool.from_url(settings.REDIS_URL)
    except ValueError as wrong:
        return [Error(f"REDIS_URL cannot be read: {wrong}.", hint=REDIS_ADDRESS, id="wondercam.E003")]
    return []


@register("wondercam", START, deploy=True)
def redis_answers(**_: Any) -> list[CheckMessage]:
    """Check that Redis responds. It is only a warning, because a server polls the database until Redis is back."""
    if not settings.REDIS_URL or redis_address():
        return []
    import redis

    timeouts: dict[str, Any] = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **timeouts) as client:
            client.ping()
    except (redis.RedisError, OSError) as wrong:
        sentence = f"Redis does not answer at REDIS_URL ({type(wrong).__name__})."
        hint = "Until it does, rate limits are counted by each process, and processes wake each other later."
        return [Warning(sentence, hint=hint, id="wondercam.W004")]
    return []


@register("wondercam", START, deploy=True)
def server_options(**_: Any) -> list[CheckMessage]:
    """Read the variables that the server alone reads. Raises ImproperlyConfigured, as an invalid setting does."""
    Options.from_environment()
    return []


@register("wondercam", START, deploy=True)
def static_files_collected(**_: Any) -> list[CheckMessage]:
    """Check that the static files are collected, with hashed names, which pages need without DEBUG."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if settings.DEBUG or manifest.is_file():
        return []
    sentence = f"The page's files are not collected: {manifest} is missing."
    return [Error(sentence, hint=f"Run `{PROGRAM} collectstatic --noinput`.", id="wondercam.E004")]


@register("wondercam")
def names_that_nothing_reads(**_: Any) -> list[CheckMessage]:
    """Report unknown variables with names like those of WonderCam."""
    return [
        Warning(
            f"{name} is set, and nothing reads it.",
            hint=f"Is {near} meant?" if near else "docs/settings.md lists every variable.",
            id="wondercam.W001",
        )
        for name, near in unread(os.environ)
    ]


@register("wondercam")
def configured_workers(**_: Any) -> list[CheckMessage]:
    """Check `several_workers` for WEB_WORKERS."""
    return several_workers(settings.WEB_WORKERS)


def several_workers(workers: int) -> list[CheckMessage]:
    """Return warnings about several workers on SQLite, and without Redis."""
    found: list[CheckMessage] = []
    if workers > 1 and sqlite_file() is not None:
        sentence = f"{workers} workers share one SQLite file, which one of them can write to at a time."
        hint = "Answers stream on, each event a little later. PostgreSQL (DATABASE_URL) has no such queue."
        found.append(Warning(sentence, hint=hint, id="wondercam.W002"))
    if workers > 1 and not settings.REDIS_URL:
        sentence = (
            f"{workers} workers without Redis: each counts rate limits by itself, so {workers} times as much passes."
        )
        hint = "Set REDIS_URL. Readers at another worker than their answer's also get its events later without."
        found.append(Warning(sentence, hint=hint, id="wondercam.W003"))
    return found


@register("wondercam")
def debug_for_others(**_: Any) -> list[CheckMessage]:
    """Check that DEBUG is off on a site with other hosts, because its error pages show settings to every client."""
    others = sorted(set(settings.ALLOWED_HOSTS) - set(settings.LOOPBACK))
    if not settings.DEBUG or not others:
        return []
    sentence = (
        f"DEBUG is on, and ALLOWED_HOSTS names {', '.join(others)}: whoever reaches it sees what only you should."
    )
    return [Warning(sentence, hint="Set DEBUG=0, SECRET_KEY and JWT_SIGNING_KEY.", id="wondercam.W005")]


@register(Tags.security, deploy=True)
def https(**_: Any) -> list[CheckMessage]:
    """Check that HTTPS is on. Django's own check needs its middleware under its own name (wondercam/pages.py)."""
    if settings.HTTPS:
        return []
    sentence = "WONDERCAM_HTTPS is off: passwords, tokens and cookies are sent readable."
    return [Warning(sentence, hint="Put a proxy with TLS in front (docs/deploy.md).", id="wondercam.W006")]
