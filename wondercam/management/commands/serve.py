"""`manage.py serve`: the production server."""

import gc
from collections.abc import Callable
from typing import Any

from channels.routing import get_default_application
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from wondercam.env import envint, envstr
from wondercam.server.options import Options
from wondercam.server.supervisor import Supervisor, leave
from wondercam.server.transport import listening_socket
from wondercam.server.worker import NO_PARENT, Worker


class Command(BaseCommand):
    help = "Serve the site. SIGTERM, SIGHUP and Ctrl-C drain: what runs may end, nothing new begins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=envstr("HOST", "127.0.0.1"), help="the address to listen on (HOST)")
        port, workers = envint("PORT", 18000, most=65535), envint("WEB_WORKERS", 1, least=1, most=64)
        parser.add_argument("--port", type=int, default=port, help="the port to listen on; 0 takes a free one (PORT)")
        parser.add_argument("--workers", type=int, default=workers, help="processes that serve (WEB_WORKERS)")

    def handle(self, *, host: str, port: int, workers: int, **_: Any) -> None:
        refuse_a_database_that_is_behind()
        options = Options.from_environment()
        application = get_default_application()
        try:
            listener = listening_socket(host, port, int(options.stalled_time))
        except OSError as wrong:
            raise CommandError(f"Cannot listen on {host}:{port}: {wrong.strerror}.") from None
        shown = f"[{host}]" if ":" in host else host
        port = listener.getsockname()[1]

        def announce() -> None:
            print(f"Listening on http://{shown}:{port}", flush=True)

        def work(ready: Callable[[], None], parent: int = NO_PARENT) -> int:
            return Worker(application, listener, options, ready, parent).run()

        gc.collect()
        gc.freeze()  # what is loaded stays: the collector need not walk it, and workers share it
        leave(work(announce) if workers == 1 else Supervisor(workers, listener, work, announce).run())


def refuse_a_database_that_is_behind() -> None:
    """CommandError when migrations are missing. No connection stays open: workers make their own."""
    connection = connections["default"]
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as wrong:
        raise CommandError(f"The database cannot be used: {wrong}") from None
    finally:
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    if missing:
        raise CommandError("The database is behind: run `manage.py migrate` first.")
