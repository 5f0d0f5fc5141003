"""The app of WonderCam. The log is the stream: this is the journey of a message, from the page to the model and back.

 1. `static/chat/composer.js` passes the text to `connection.js`, which POSTs it to `/v2/echat`.
 2. `urls.py` → `views/echat.py`: who asks (`accounts/tokens.py`), how often (`limits/`), and what
    (`protocol/request.py`). A native EventSource authenticates by a ticket; Google's SDKs use `views/gemini.py`,
    OpenAI's `views/openai.py`. All of them call `Turns.start`.
 3. `turns/runner.py` checks the question against its model (`providers/`), stores photos (`attachments/`), and has the
    log commit `turns/start.py`: the message, its empty answer, the stream and event 0, in one transaction.
 4. `views/event_stream.py` follows the stream from its beginning. Event 0 is stored, so the reader gets its OK at once.
 5. Meanwhile `turns/turn.py` runs in a task of its own, which no disconnect cancels: it builds the prompt
    (`protocol/prompt.py`) and asks the provider: `providers/catalogue.py` → one file for each upstream. A response is
    decoded (`providers/http/decoding.py`), read, and passed on in the call that received it
    (`providers/http/sse_response.py`).
 6. Each chunk becomes an event (`protocol/events.py`), which `log/tail.py` appends; `log/group_commit.py` commits what
    all streams have queued, on the event loop's own connection (`log/own_connection.py`). The statement refuses a
    writer that does not hold the stream any more (`log/fence.py`). After the commit, and never before it, the tail
    notifies its subscribers (`log/subscriber.py`) and other processes (`log/notifier.py`).
 7. `log/follow.py` gives each reader pages of the events after its cursor, from the table (`log/pages.py`) or from the
    tail. A subscriber that waits gets newly committed events at once; any other is woken. `views/event_stream.py`
    encodes them (`protocol/sse.py`), and `wondercam/server/` writes them to the socket, or waits while it is full.
 8. In the page, `connection.js` decodes, `transcript.js` applies, `view.js` paints. After a cut or a reload it goes on
    at 7, by cursor; a second tab, the admin (`admin/`) and `manage.py replay_stream` read the same way.
 9. The turn ends as complete, stopped, failed or interrupted: its last event, the stream's status and the parts of the
    answer (`protocol/answer.py`) are stored in one transaction. If the worker dies, another worker finds the turn
    (`turns/leases.py`) and takes it over (`turns/continuation.py`) or ends it; a worker that is told to stop hands it
    over (`turns/drain.py`). A queued message starts, at 3, when the answer before it is complete
    (`turns/message_queue.py`).

`process.py` has the objects of a process; `protocol/errors.py` lists what can go wrong; `docs/journey.md` follows the
same ways function by function.
"""
