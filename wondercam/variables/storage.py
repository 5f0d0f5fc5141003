"""The database, the data folder and retention. The order is that of docs/settings.md."""

from wondercam.variables.variable import Variable

TITLE = "Where things are kept"
INTRODUCTION = ""

NO_DAYS = "no whole number up to 36500"
A_CENTURY = 36_500

VARIABLES = (
    Variable(
        "WONDERCAM_DATA_DIR",
        "data/",
        (
            "The folder of the SQLite database (photos are in the database) and of keys made for development. "
            "It is made where it is missing"
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
            "`redis://host:6379/0`: processes on several machines wake each other and share their rate limits. "
            "Without it each process looks into the database by itself"
        ),
        shown="none",
    ),
    Variable(
        "WONDERCAM_KEEP_CONVERSATIONS_DAYS",
        0,
        (
            "After so many days without a message a conversation is deleted, with its photos and recordings; `0` keeps "
            "it. This and the next three are looked at every hour while the site is served"
        ),
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
    Variable(
        "WONDERCAM_KEEP_RECORDINGS_DAYS",
        0,
        (
            "After so many days an answer's recording (its events and their times) is deleted; what was said stays. On "
            "PostgreSQL recordings are deleted by partitions: up to a thirtieth of that age later, or a day"
        ),
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
    Variable(
        "WONDERCAM_KEEP_PHOTOS_DAYS",
        0,
        "After so many days a photo or a sound is deleted",
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
    Variable(
        "WONDERCAM_KEEP_GUESTS_DAYS",
        90,
        "A guest who has said nothing for so many days is deleted with all that is left. After 30 none can come back",
        wrong=NO_DAYS,
        most=A_CENTURY,
    ),
)
