"""How much one person, address or network may ask for.

    await spend("chat", user=…, ip=…)     one request off every rate of that name, or ResourceExhausted    (counting.py)
    check_streams(user_id)                inside the transaction that starts a stream, or refused        (streams.py)
    spend_question(user_id)               there, too: one question off the day's budget                    (budget.py)
    has_tokens_left(user_id)              whether something may be asked that nobody has asked for         (budget.py)
    address(request)                      whom a rate by address counts; its blocks              (addresses.py)
    is_first(subject, seconds)            whether this was not asked a short while ago                  (counting.py)
    of("PHOTO_BYTES")                     one limit: `WONDERCAM_LIMIT_<name>`, or its default

`rates.py` lists the rates. `shared.py` counts in Redis; `windows.py` in this process, where there is no Redis or it
does not answer.
"""

from chat.limits.addresses import address
from chat.limits.budget import has_tokens_left, spend_question
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
]
