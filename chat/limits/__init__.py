"""How much one person, address or network may ask for.

    await spend("chat", user=…, ip=…)     one request off every rate of that name, or ResourceExhausted    (rates.py)
    check_streams(user_id)                inside the transaction that starts a stream, or refused        (streams.py)
    spend_question(user_id)               there, too: one question off the day's budget                    (budget.py)
    has_tokens_left(user_id)              whether something may be asked that nobody has asked for         (budget.py)
    address(request)                      whom a rate by address counts; its blocks              (addresses.py)
    is_first(subject, seconds)            whether this was not asked a short while ago
    of("PHOTO_BYTES")                     one limit: `WONDERCAM_LIMIT_<name>`, or its default

`windows.py` counts in this process, where there is no Redis or it does not answer.
"""

from chat.limits.addresses import address
from chat.limits.budget import has_tokens_left, spend_question
from chat.limits.rates import RATES, RateExceeded, close, is_first, of, spend
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
    "spend",
    "spend_question",
]
