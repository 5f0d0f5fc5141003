"""What WonderCam costs and how late it is, beside the fastest plain stack, on this machine, by one command.

    python -m bench            every row, twice: docs/performance.md, docs/performance.json, docs/performance-*.svg
    python -m bench --quick    the main rows, once, to the terminal
    python -m bench scale      the curves: streams, events a second, readers of one stream, size of the log
    python -m bench profile    where the CPU of a token and of a request goes, by stage
    python -m bench.pair       this checkout beside another one: CPU of an event and of a question
    python -m bench.calls      the same in calls, which are the same on any machine and at any hour
    python -m bench.steady     the added p99 of ten runs of a minute, each beside the plain stack's
    python -m bench.pauses     when the machine itself holds everything up
    python -m bench.clocks     what the times of an event, for the receipt of its reader, cost
    python -m bench.sight      how often what is said about photos is right
    python -m bench.review_lists    how long the lists of the review take with 100,000 streams

    __main__.py   reads the command line
    upstream.py   the fake model server: paced events that carry the moment they were sent
    reference.py  the peer: FastAPI passing the same stream through, storing nothing
    floor.py      the floor: a C program (floor.c) that reads, stores and sends, and does nothing else
    servers.py    starts and ends the servers that are compared
    stores.py     a PostgreSQL and a Redis of our own, thrown away afterwards
    load.py       starts streams at a pace, reads them, keeps every event's two stamps
    process.py    CPU time, memory and threads of a family of processes, from /proc
    loads.py      the loads: which streams, how many, how fast, and what is measured meanwhile
    faults.py     readers that never read, and readers that are dropped and come back
    rows.py       the table's rows: a measurement, a target, a verdict
    measure.py    which server gets which load in which round
    report.py     the table as Markdown and JSON
    plots.py      the same as pictures
    scale.py      the curves
    grow.py       a database as it is after long use
    profile.py    CPU by stage
    pair.py       this checkout beside another one, both alive, loads in turn
    calls.py      this checkout beside another one, by calls
    counted.py    runs a server whose calls are counted
    steady.py     the same load again and again, and how late its events are
    pauses.py     the moments at which the machine is slow for all processes alike
    clocks.py     the same load with and without the times of its events
    sight.py      what is said about photos, and how often it is right
    review_lists.py  the review's lists, in this process

All clocks are CLOCK_MONOTONIC of the one machine that upstream, server and client share, so an event's
age at the client is a subtraction. Nothing here is imported by the product.
"""
