"""`.env`: variables one `NAME=value` a line, for those that the environment does not set."""

from io import StringIO
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from dotenv.parser import parse_stream


def load(file: Path) -> None:
    """Add the file's variables to the environment. Raises ImproperlyConfigured, with the line, if it cannot be read.

    A line that is no assignment prevents the start: python-dotenv leaves it out, and the site would run without it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        return
    except OSError as wrong:
        raise ImproperlyConfigured(f"{file} cannot be read: {wrong.strerror}.") from None
    except UnicodeDecodeError as wrong:
        line = wrong.object.count(b"\n", 0, wrong.start) + 1
        raise ImproperlyConfigured(f"{file} is not UTF-8 in line {line}: save it as UTF-8.") from None
    for binding in parse_stream(StringIO(text)):
        first = binding.original
        if binding.error or (binding.key and binding.value is None) or "\0" in first.string:
            sentence = f"{file} cannot be read in line {line_of(first.string, first.line)}: write NAME=value."
            raise ImproperlyConfigured(sentence)
    load_dotenv(stream=StringIO(text))


def line_of(binding: str, first: int) -> int:
    """Return the line of an assignment; the empty lines before it belong to it, and it begins with line `first`."""
    return first + binding[: len(binding) - len(binding.lstrip())].count("\n")
