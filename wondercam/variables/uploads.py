"""The limits of photos and sounds, which are a part of `limits.py`."""

from wondercam.variables.variable import Variable

VARIABLES = (
    Variable("WONDERCAM_LIMIT_PHOTO_BYTES", 20_971_520, "The largest photo file", wrong="not a whole number", least=1),
    Variable(
        "WONDERCAM_LIMIT_SOUND_BYTES",
        10_485_760,
        "The largest sound file: 5 minutes as the page records it",
        wrong="not a whole number",
        least=1,
    ),
    Variable("WONDERCAM_LIMIT_SOUND_SECONDS", 300, "The longest sound", wrong="not a whole number", least=1),
    Variable(
        "WONDERCAM_LIMIT_PHOTO_PIXELS",
        200_000_000,
        "The most pixels of a photo",
        wrong="not a whole number",
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_PHOTO_MEMORY",
        536_870_912,
        (
            "The most memory that one photo may take while it is decoded: 134 million pixels of a plain PNG, 26"
            " million of a WebP"
        ),
        wrong="not a whole number",
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_MEDIA_BYTES",
        20_971_520,
        (
            "All photos and sounds of one message together, and of a chat as it is sent to the model, which gets the"
            " newest of them"
        ),
        wrong="not a whole number",
        least=1,
    ),
    Variable(
        "WONDERCAM_LIMIT_PHOTOS_USER_BYTES",
        209_715_200,
        "All photos and sounds of one person together",
        wrong="not a whole number",
        least=1,
    ),
)
