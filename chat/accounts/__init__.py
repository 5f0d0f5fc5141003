"""Who is asking.

`tokens.py` is the one authenticator of all API routes, and issues, rotates and ends tokens; `claims.py` says what a
signed token states, `families.py` keeps what has ended. `passwords.py` lets people in, `guests.py` those without an
account, `sessions.py` the page, `tickets.py` a native EventSource, `keys.py` scripts. `signals.py` ends tokens where an
account changes, `audit.py` writes down what an operator will ask about.
"""
