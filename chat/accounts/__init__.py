"""Authentication: who sends a request.

`tokens.py` authenticates all API routes, and issues, rotates and revokes tokens; `claims.py` verifies what a token
says, `families.py` stores which sign-ins have ended. There are passwords (`passwords.py`), guests without an account
(`guests.py`), the page's session (`sessions.py`), tickets for a native EventSource (`tickets.py`) and API keys
(`keys.py`). `signals.py` revokes tokens when an account changes; `audit.py` writes the audit log.
"""
