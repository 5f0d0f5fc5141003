"""`manage.py serve`: the production server."""

import gc
import logging
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from wondercam import variables
from wondercam.checks import START, migrates_itself, several_workers
from wondercam.installation import IS_WHEEL
from wondercam.server.options import Options
from wondercam.server.supervisor import Supervisor, leave
from wondercam.server.transport import check_twisted, listening_socket
from wondercam.server.worker import NO_PARENT, Worker

log = logging.getLogger(__name__)


class Command(BaseCommand):
    requires_system_checks = ()  # `handle` runs them, and those that take time
    help = "Serve the site. SIGTERM, SIGHUP and Ctrl-C drain: what runs may end, nothing new begins."

    def add_arguments(self, parser: CommandParser) -> None:
        host, port, workers = settings.HOST, settings.PORT, settings.WEB_WORKERS
        parser.add_argument("--host", default=host, help="the address to listen on (HOST)")
        parser.add_argument(
            "--port", type=whole("PORT"), default=port, help="the port to listen on; 0 takes a free one (PORT)"
        )
        parser.add_argument(
            "--workers", type=whole("WEB_WORKERS"), default=workers, help="processes that serve (WEB_WORKERS)"
        )

    def handle(self, *, host: str, port: int, workers: int, **_: Any) -> None:
        if IS_WHEEL:
            prepare()
        refuse_what_cannot_serve(workers)
        check_twisted()
        options = Options.from_environment()
        from wondercam.asgi import application, body_limit  # not earlier: it sets Django up, as a program of its own

        try:
            listener = listening_socket(host, port, int(options.stalled_time))
        except (OSError, UnicodeError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else "that is no name of a host"
            sentence = f"Cannot listen on {host}:{port}: {why}. HOST and PORT name another address."
            raise CommandError(sentence) from None
        shown = f"[{host}]" if ":" in host else host
        port = listener.getsockname()[1]

        def announce() -> None:
            print(f"Listening on http://{shown}:{port}", flush=True)

        def work(ready: Callable[[], None], parent: int = NO_PARENT) -> int:
            return Worker(application, listener, options, ready, parent, body_limit).run()

        gc.collect()
        gc.freeze()  # loaded modules are permanent: the garbage collector skips them, and workers share their memory
        leave(work(announce) if workers == 1 else Supervisor(workers, listener, work, announce).run())


def whole(name: str) -> Callable[[str], int]:
    """Return a parser of an argument that stands for the variable `name`, with its bounds."""
    variable = variables.ALL[name]

    def parse(text: str) -> int:
        most = float("inf") if variable.most is None else variable.most
        if not text.isascii() or not text.isdigit() or not variable.least <= int(text[:20]) <= most:
            upper = "" if variable.most is None else f" and at most {variable.most}"
            raise ArgumentTypeError(f"{text!r} will not do: write a whole number, at least {variable.least}{upper}.")
        return int(text)

    return parse


def prepare() -> None:
    """Prepare the start of a wheel, as `make run` does for a checkout: migrate a SQLite database, and download the
    embedded model if it is the default. PostgreSQL, which several machines may share, is migrated by its operator."""
    if migrates_itself():
        call_command("migrate", interactive=False, verbosity=0)
    call_command("fetch_model", unless_there=True)


def refuse_what_cannot_serve(workers: int) -> None:
    """Run the system checks. Raises CommandError with all errors; warnings are logged."""
    static = run_checks(databases=[])  # from Django 6.1 on checks of models would open the database
    found = [*static, *run_checks(tags=[START], include_deployment_checks=True)]
    if workers != settings.WEB_WORKERS:
        found += several_workers(workers)
    errors = []
    for message in found:
        text = f"{message.msg} {message.hint or ''}".strip()
        if message.is_silenced():
            continue
        if message.is_serious():
            errors.append(f"{text} ({message.id})")
        else:
            log.warning("%s (%s)", text, message.id)
    if errors:
        raise CommandError("WonderCam cannot start.\n" + "\n".join(errors))
