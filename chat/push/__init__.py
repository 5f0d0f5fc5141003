"""Web Push: notifies a browser that an answer has ended while its page is not visible.

    keys.py           the site's key pair, and the header that identifies the sender (VAPID, RFC 8292)
    encryption.py     messages that only the browser can decrypt (RFC 8291)
    endpoint.py       which addresses may be sent to: the browser names its push service, so a client may name any
    delivery.py       sends one message, with limits
    subscriptions.py  the rows of subscriptions, and the answers that each has not been notified of
    notices.py        finds and sends what is due, while the process serves

A subscription is one more reader of its user's feed (`log/changes.py`), with a cursor of its own. A page that reads the
feed in any process moves the cursor; the end of an answer that is after the cursor for some seconds is sent.
"""
