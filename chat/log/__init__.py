"""The log: every event of a stream is appended to it, and every reader reads it.

    batch.py          what is queued for a commit: an event of a stream (`Append`), or a function (`Job`)
    group_commit.py   commits everything that is queued, on the event loop or in a thread
    commit_thread.py  that thread; `threads.py` lets the simulation replace a log's threads
    own_connection.py  the event loop's own connection: `sqlite_commit.py`, or `postgres_commit.py` with
                      `postgres_jobs.py`, which send through `postgres_pipeline.py`
    sqlite_file.py    connects to SQLite's file, and creates none
    checkpoint.py     SQLite's checkpoints, in a thread, so that writers do not wait for the disk
    sql.py            the statements for both databases; `fence.py` has those that check the writer's epoch
    tail.py           the writing end of one stream: its newest events, and its subscribers
    subscriber.py     a reader that waits for more of a stream; `timeouts.py` ends the waits of all of them in time
    pages.py          committed events after a cursor, from the table
    interruption.py   ends a stream that its worker did not end
    takeover.py       hands a stream over, and takes one over: another worker becomes its writer
    deletion.py       deletes rows in transactions so short that no stream has to wait
    partitions.py     which partitions the table has on PostgreSQL; `postgres_partitions.py` makes and drops them
    usage.py          counts an answer's tokens, in the transaction that ends its stream
    follow.py         pages of a stream until it ends: live reading, resume and replay
    write_clock.py    when one reader's events were committed (`commit_times.py`) and written to its socket
    changes.py        the lines of feeds, stored in the transactions of the changes
    feeds.py          feeds of a user's conversations, followed like streams
    notifier.py       notifies other processes which streams have grown
    eventlog.py       `Log`, which combines all of it; `state.py` has its figures for the metrics

Three rules hold everywhere. An event is shown only after its commit. The database refuses a writer whose epoch is over,
in the statement that would have written. After an append has failed, nothing more of its stream is stored.
"""

from chat.log.eventlog import Log
from chat.log.fence import LeaseLost
from chat.log.follow import Followed
from chat.log.pages import Page
from chat.log.tail import MAX_PENDING, Tail
from chat.log.write_clock import WriteClock

__all__ = ["MAX_PENDING", "Followed", "LeaseLost", "Log", "Page", "Tail", "WriteClock"]
