"""The limits of users, addresses and requests. The order is that of docs/settings.md."""

from wondercam.variables import uploads
from wondercam.variables.variable import Variable

TITLE = "Limits"
INTRODUCTION = (
    "Each is a whole number of at least 1, unless said otherwise. What goes over a limit is refused with a sentence "
    "and, for rates, `Retry-After`."
)

NO_NUMBER = "not a whole number"

VARIABLES = (
    Variable(
        "WONDERCAM_LIMITS",
        True,
        "Off lifts the limits on rates and on streams at a time, for load tests",
        wrong="off without `DEBUG`, unless the next one is on",
    ),
    Variable(
        "WONDERCAM_LIMITS_OFF_IS_INTENDED",
        False,
        "Confirms that limits shall be off without `DEBUG`",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_LIMIT_LOGIN_ACCOUNT",
        15,
        (
            "Tries to sign in to one account from one address (IPv6: /56), in 3 minutes, in whatever spelling "
            "finds the account"
        ),
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_LOGIN_NAME",
        60,
        "The same from all addresses together",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_LOGIN_IP",
        20,
        (
            "Tries to sign in from one address, a minute. This and the other limits by address count an IPv6 "
            "/64 as an address, and allow a /56 twice, a /48 and an IPv4 /24 four times as much"
        ),
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_CHAT_BURST", 5, "Messages of one person, a second", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_CHAT_USER", 20, "Messages of one person, a minute", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_CHAT_IP",
        60,
        "Messages from one address (IPv6: /56), a minute",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_DAY_QUESTIONS",
        500,
        "Questions of one person with an account, a day (UTC)",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_DAY_QUESTIONS_GUEST", 200, "Questions of one guest, a day", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_DAY_QUESTIONS_SITE",
        0,
        "Questions of all people, a day; 0 is no limit",
        wrong=NO_NUMBER,
    ),
    Variable(
        "WONDERCAM_LIMIT_DAY_TOKENS",
        2_000_000,
        (
            "Tokens of one person with an account, a day: what was sent to models, and their answers, as they "
            "count it. The answers that are being written when it is reached go over it"
        ),
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_DAY_TOKENS_SITE", 0, "Tokens of all people, a day; 0 is no limit", wrong=NO_NUMBER),
    Variable("WONDERCAM_LIMIT_DAY_TOKENS_GUEST", 500_000, "Tokens of one guest, a day", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_PROBE_IP", 30, "Probes from one address, a minute", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_GUEST_IP", 10, "New guests from one address, a minute", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_GUEST_IP_DAY",
        200,
        "New guests from one address, a day",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_GUESTS", 300, "New guests from everywhere, a minute", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_KEYS_USER", 20, "API keys that one person has at a time", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_KEYS_HOUR", 20, "API keys that one person makes in an hour", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_TICKET_USER", 60, "Tickets of one person, a minute", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_SIGNUP_IP",
        10,
        "New accounts from one address, a minute",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_RESET_IP", 20, "Reset links from one address, an hour", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_RESET_NAME", 5, "Reset links to one e-mail, an hour", wrong=NO_NUMBER, least=1),
    Variable("WONDERCAM_LIMIT_UPLOAD_USER", 20, "Photos and sounds of one person, a minute", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_UPLOAD_USER_DAY",
        200,
        "Photos and sounds of one person, a day",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_PHOTOS_MESSAGE",
        16,
        "Photos and sounds of one message; one in its body (`inlineData`) counts as one that was sent, too",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_STREAMS_USER",
        2,
        "Answers being generated for one person at a time",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_STREAMS",
        500,
        "Answers being generated at a time, all together",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_STREAMS_GUESTS_PERCENT",
        80,
        "Once so many percent of them are taken, guests wait: the rest is kept for people with an account",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_STREAMS_NETWORK",
        40,
        "Answers being generated at a time for guests of one network (IPv4 /24, IPv6 /48)",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_GUEST_UNREAD_SECONDS",
        60,
        "For how long a guest's answer goes on without a reader; then it is stopped",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_STREAM_SECONDS",
        300,
        "The longest time one answer may take",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_CONNECT_SECONDS",
        5,
        "To reach a model's server; fractions are allowed here and in the next two",
        wrong="not a number from 0.01",
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS",
        60,
        "From asking a model to its first word; waiting in our own line does not count",
        wrong="not a number from 0.01",
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_IDLE_SECONDS",
        60,
        "Between two pieces of an answer",
        wrong="not a number from 0.01",
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_OUTPUT_BYTES", 1_048_576, "The longest answer", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_UPSTREAM_EVENT_BYTES",
        8_388_608,
        "The largest piece of an answer that a model's server may send",
        wrong="not a whole number from 1024",
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_PROMPT_BYTES", 32_768, "The longest text of one message", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_QUEUED_MESSAGES",
        10,
        "Messages that wait in one conversation for the answer that runs",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_HISTORY_MESSAGES",
        40,
        "Earlier messages that are sent to the model with a new one",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_HISTORY_BYTES", 131_072, "Their length, all together", wrong=NO_NUMBER, least=1),
    Variable(
        "WONDERCAM_LIMIT_BODY_BYTES",
        262_144,
        "The largest body of an ordinary request",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_CHAT_BODY_BYTES",
        8_388_608,
        "The largest body of a message to the model, photos and sounds in it included",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_BODIES_BYTES",
        67_108_864,
        "All bodies that one worker is reading or has not answered yet; one over 64 KiB that does not fit gets 503",
        wrong="not a whole number from 1048576",
        least=1_048_576,
    ),
    *uploads.VARIABLES,
    Variable(
        "WONDERCAM_LIMIT_HEADER_SECONDS",
        10,
        "From the first byte of a request to the end of its headers",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_BODY_SECONDS",
        30,
        "For a request's body to arrive; larger ones get time by their size",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_KEEPALIVE_SECONDS",
        60,
        "How long a connection may wait for its next request",
        wrong=NO_NUMBER,
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_STALLED_SECONDS",
        120,
        (
            "How long a reader may take nothing of what waits for it before its connection is closed; it can "
            "come back and resume"
        ),
        wrong=NO_NUMBER,
        least=1,
    ),
)

OF_PROVIDERS = {"CONNECT_SECONDS", "FIRST_TOKEN_SECONDS", "IDLE_SECONDS", "UPSTREAM_EVENT_BYTES"}
OF_THE_SERVER = {"BODIES_BYTES", "HEADER_SECONDS", "BODY_SECONDS", "KEEPALIVE_SECONDS", "STALLED_SECONDS"}
"""The limits that chat/providers and wondercam/server read; all others are in settings.LIMITS."""

PREFIX = "WONDERCAM_LIMIT_"
APPLICATION = tuple(
    name
    for variable in VARIABLES
    if variable.name.startswith(PREFIX)
    and (name := variable.name.removeprefix(PREFIX)) not in OF_PROVIDERS | OF_THE_SERVER
)
