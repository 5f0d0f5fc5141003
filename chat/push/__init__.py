"""Web Push: a browser is told that an answer has ended while nobody looks at the page.

    keys.py           the site's key pair, and the header that says who sends (VAPID, RFC 8292)
    encryption.py     a message that only the browser can read (RFC 8291)
    endpoint.py       which addresses are sent to: a browser names its push service, so anybody may name anything
    delivery.py       sends one message, within bounds
    subscriptions.py  the rows: kept, renewed, removed, and what each has not been told
    notices.py        looks what is to be told, for as long as the process serves

A subscription is one more reader of its user's feed (`log/changes.py`), with a place of its own. Its place moves on
while a page reads that feed in any process; what still lies before it some seconds after its end is sent.
"""
