"""Daphne, tuned: the production server of `manage.py serve`.

    options.py      what can be set, read from the environment
    supervisor.py   N worker processes on one listening socket: restart, forward, drain
    worker.py       one process: the event loop, the lifespan, housekeeping, draining
    signals.py      what a signal asks for
    lifespan.py     the application's start and end (ASGI lifespan)
    channel.py      one connection: its requests in turn, deadlines, refusals
    parser.py       bytes to requests, by llhttp
    inbox.py        what the application is told about its request
    bodies.py       how much of the requests' bodies is held
    request.py      one request: scope in, response out, waiting for a slow reader
    access.py       a line of the log for each request
    metrics_folder.py   where several workers put their numbers
    errors.py       what a request is told that the application never saw
    transport.py    the socket, the port, the reactor: Twisted's, writing at once when nothing is queued
    proxies.py      which address a request came from when proxies stand in front

A response's chunk goes request → transport → socket in one call, without an event-loop iteration between. What is
kept of Daphne is its server's and its request's frame; `docs/decisions/0001-daphne-tuned.md` says what
was changed, and what it gave.
"""
