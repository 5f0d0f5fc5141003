"""Limits of users, addresses, networks and the whole site.

    await spend("chat", user=…, ip=…)   count a request against the rates of that name, or raise       counting.py
    check_streams(user_id)              check the limits of running streams, in the turn's transaction  streams.py
    spend_question(user_id)             count a question against the day's budgets, there too           budget.py
    today_of(user_id)                   what is used of the day's budget                                budget.py
    has_tokens_left(user_id)            whether the budget allows a request that no user has made       budget.py
    address(request)                    the address that rates count, and the blocks around it          addresses.py
    is_first(subject, seconds)          True at most once per subject in that time, in this process     counting.py
    of("PHOTO_BYTES")                   one limit: `WONDERCAM_LIMIT_<name>`, or its default             rates.py

`site_budget.py` is the day's budget of all people together, `day.py` the UTC day. `rates.py` lists the rates.
`shared.py` counts in Redis; `windows.py` counts in this process, without Redis or while it does not respond. `fair.py`
is an executor whose threads are shared fairly between users.
"""

from chat.limits.addresses import address
from chat.limits.budget import has_tokens_left, spend_question, today_of
from chat.limits.counting import close, is_first, open, spend
from chat.limits.rates import RATES, RateExceeded, of
from chat.limits.streams import check_streams

__all__ = [
    "RATES",
    "RateExceeded",
    "address",
    "check_streams",
    "close",
    "has_tokens_left",
    "is_first",
    "of",
    "open",
    "spend",
    "spend_question",
    "today_of",
]
