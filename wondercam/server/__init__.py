"""Daphne, tuned: the production server of `manage.py serve`.

    options.py      the server's options, read from the environment
    supervisor.py   N worker processes on one listening socket: restarts, drains
    worker.py       one process: event loop, lifespan, housekeeping, draining
    signals.py      what SIGTERM, SIGINT and SIGHUP do
    lifespan.py     starts and stops the application (ASGI lifespan)
    channel.py      one connection: its requests one after the other, deadlines, refusals
    parser.py       bytes to requests, with llhttp
    inbox.py        the queue behind the application's `receive`
    bodies.py       bounds the memory of request bodies
    request.py      one request: response, backpressure, parking while there is nothing to send
    scope.py        its ASGI scope
    access.py       the access log
    metrics_folder.py   the folder in which several workers share their metrics
    errors.py       error responses of the server itself
    transport.py    socket, port and reactor: Twisted's, but a write is sent at once if nothing is queued
    proxies.py      the client's address behind proxies

A chunk of a response goes request → transport → socket in one call, without an event-loop iteration in between. Of
Daphne the server class remains; `docs/decisions/0001-daphne-tuned.md` and `0022-a-silent-stream-has-no-task.md` say
what was changed, and what that gave.
"""
