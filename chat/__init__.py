"""WonderCam's one app. The log is the stream: this is the journey of a message, from the page and back.

 1. `static/chat/composer.js` hands the words to `connection.js`, which POSTs them to `/v2/echat`.
 2. `urls.py` → `views/echat.py`: who asks (`accounts/tokens.py`), how often (`limits/`), and what exactly
    (`protocol/request.py`). A native EventSource comes in by a ticket, Google's SDKs by `views/gemini.py`, OpenAI's by
    `views/openai.py`; all call `Turns.start`.
 3. `turns/runner.py` checks what is asked of which model (`providers/`), keeps photos (`attachments/`), and hands
    `turns/start.py` to the log: the message, the answer to come, its stream and event 0 in one transaction.
 4. `views/event_stream.py` follows the stream from its beginning. Event 0 is stored, so the reader has its OK, whatever
    happens.
 5. Meanwhile `turns/turn.py` runs in a task of its own, which no reader's leaving can reach: it builds the prompt
    (`protocol/prompt.py`) and asks the provider: `providers/catalogue.py` → a file for each upstream. What comes back
    is decoded (`providers/http/decoding.py`), read and given on in the call that brought it
    (`providers/http/sse_response.py`).
 6. Each chunk becomes an event (`protocol/events.py`), which `log/tail.py` appends; `log/group_commit.py` commits what
    all streams have pending, as soon as it is free, on the event loop's own connection (`log/own_connection.py`). The
    statement refuses a writer that does not hold the stream any more (`log/fence.py`). After the commit, and never
    before, the tail tells its subscribers (`log/subscriber.py`), and other processes (`log/notifier.py`).
 7. `log/follow.py` gives each reader pages of what comes after its cursor: what was missed from the table
    (`log/pages.py`), then from the tail. A subscriber that waits is given what was committed at once, any other is
    woken. `views/event_stream.py` turns pages into bytes by `protocol/sse.py`, and `wondercam/server/` writes them to
    the socket at once, or waits while it is full.
 8. In the page, `connection.js` decodes, `transcript.js` applies, `view.js` paints. A drop or a reload enters again
    at 7, by cursor; a second tab, the admin (`admin/`), and `manage.py replay_stream` do the same.
 9. The turn ends as complete, stopped, failed or interrupted: its last event, the stream's status and the answer's
    text (`protocol/answer.py`) are one transaction. Should the worker die, `turns/leases.py` finds the turn, and
    another worker goes on with it (`turns/continuation.py`) or ends it. A message that waited for a normal end is
    begun then (`turns/message_queue.py`), at 3.

What a process holds, from its start to its end, is in `process.py`; what can go wrong, in `protocol/errors.py`.
"""
