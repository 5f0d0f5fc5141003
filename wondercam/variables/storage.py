"""The database, the data folder and retention. The order is that of docs/settings.md."""

from wondercam.variables.variable import Variable

TITLE = "Where things are kept"
INTRODUCTION = ""

NO_DAYS = "not a whole number up to 36500"
A_CENTURY = 36_500

VARIABLES = (
    Variable(
        "WONDERCAM_DATA_DIR",
        "data/",
        (
            "The folder of the SQLite database, which also has the photos, and of the keys for development. It is "
            "created if it is missing"
        ),
        shown="`data/`; in the wheel the platform's folder, such as `~/.local/share/wondercam`",
        wrong="a place that cannot be written",
    ),
    Variable(
        "DATABASE_URL",
        None,
        "`sqlite:////path/file.sqlite3` or `postgres://user:password@host:5432/name`",
        shown="SQLite in the data folder",
        wrong="any other kind of database; one without a name, or in memory",
    ),
    Variable(
        "DATABASE_POOL",
        8,
        "PostgreSQL connections that one worker may hold at once, from 2; its event loop has three more of its own",
        wrong="less than 2",
        least=2,
    ),
    Variable(
        "REDIS_URL",
        None,
        (
            "`redis://host:6379/0`: processes notify each other of new events and share their rate limits, also on "
            "several machines. Without it each process polls the database and counts rates by itself"
        ),
        shown="none",
    ),
    Variable(
        "WONDERCAM_KEEP_CONVERSATIONS_DAYS",
        0,
        (
            "Days without a message after which a conversation is deleted, with its photos and recordings; `0`: never. "
            "A running server applies this and the next three every hour"
        ),
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
    Variable(
        "WONDERCAM_KEEP_RECORDINGS_DAYS",
        0,
        (
            "Days after which an answer's recording (its events and their times) is deleted; the messages stay. On "
            "PostgreSQL recordings are deleted by partition, later by up to a thirtieth of that age or a day"
        ),
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
    Variable(
        "WONDERCAM_KEEP_PHOTOS_DAYS",
        0,
        "Days after which a photo or a sound is deleted",
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
    Variable(
        "WONDERCAM_KEEP_GUESTS_DAYS",
        90,
        "Days without a message after which a guest is deleted with everything left. After 30 days no guest can return",
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
)
