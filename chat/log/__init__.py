"""The log is the stream: everything that is said in a stream is appended here, and everybody reads it from here.

    batch.py          what can wait for a commit: an event of a stream (`Append`), or a function (`Job`)
    group_commit.py   commits whatever all streams have pending: on the event loop, or in a thread
    commit_thread.py  that thread; `threads.py`: the threads of a log as classes, for whoever brings others
    own_connection.py  the event loop's own connection: `sqlite_commit.py`, or `postgres_commit.py` with
                      `postgres_jobs.py`, which send by `postgres_pipeline.py`
    checkpoint.py     moves SQLite's write-ahead log into its file, in a thread, and keeps writers from waiting for it
    sql.py            the statements, for both databases; `fence.py` beside it: those that refuse a writer
    tail.py           the writing end of one stream: its newest events, and its subscribers
    subscriber.py     one reader that waits for more of a stream
    pages.py          committed events after a cursor, from the table
    interruption.py   ends a stream that its worker did not end
    takeover.py       hands a stream over, and takes one over: another worker writes it from now on
    deletion.py       takes rows away in steps that nobody has to wait for
    partitions.py     which partitions the table has on PostgreSQL; `postgres_partitions.py` makes and drops them
    usage.py          counts an answer's tokens for its day, in the transaction that ends its stream
    follow.py         live, resume and replay: pages of a stream until it ends
    write_clock.py    when one reader's events were stored (`commit_times.py`) and written to its socket
    changes.py        what the feeds tell, written in the transactions that change things
    feeds.py          what happens in a user's conversations, followed as a stream is
    notifier.py       tells other processes which streams have grown
    eventlog.py       `Log`: all of it as one object, made when the process starts and closed when it ends; how busy
                      it is: `state.py`

Three rules hold everywhere. An event is shown only after its commit. A writer whose lease has passed on is refused by
the database, in the statement that would have written. After an append that failed, nothing of its stream is stored.
"""

from chat.log.eventlog import Log
from chat.log.fence import LeaseLost
from chat.log.follow import Followed
from chat.log.pages import Page
from chat.log.tail import MAX_PENDING, Tail
from chat.log.write_clock import WriteClock

__all__ = ["MAX_PENDING", "Followed", "LeaseLost", "Log", "Page", "Tail", "WriteClock"]
