"""Settings come from environment variables (and `.env`), read here and nowhere else.

Each reader names the variable in the sentence it raises, so that a wrong value stops the start
with something a person can act on. `READ` remembers every name that was asked for: a test holds it
equal to the documented ones.
"""

import os
from collections.abc import Iterator, Mapping

from django.core.exceptions import ImproperlyConfigured

READ: set[str] = set()

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def envstr(name: str, default: str = "", source: Mapping[str, str] | None = None) -> str:
    """The variable's text without surrounding space; `default` where it is unset or empty."""
    READ.add(name)
    return (os.environ if source is None else source).get(name, "").strip() or default


def envbool(name: str, default: bool) -> bool:
    """True or False; ImproperlyConfigured names the variable when the text is neither."""
    text = envstr(name).lower()
    if not text:
        return default
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ImproperlyConfigured(f"{name} is {text!r}: write 1 (on) or 0 (off).")


def envint(name: str, default: int, least: int = 0, most: int | None = None) -> int:
    """A whole number from `least` to `most`; ImproperlyConfigured names the variable otherwise."""
    text = envstr(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}: write a whole number.") from None
    if number < least or (most is not None and number > most):
        upper = "" if most is None else f" and at most {most}"
        raise ImproperlyConfigured(f"{name} is {number}: it must be at least {least}{upper}.")
    return number


def envchoice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of `choices`; ImproperlyConfigured names the variable and them otherwise."""
    text = envstr(name, default).lower()
    if text not in choices:
        raise ImproperlyConfigured(f"{name} is {text!r}: write {', '.join(choices[:-1])} or {choices[-1]}.")
    return text


def envlist(name: str) -> list[str]:
    """A comma-separated list, empty entries dropped."""
    return [item.strip() for item in envstr(name).split(",") if item.strip()]


class Environment(Mapping[str, str]):
    """All variables that are set, read when they are asked for by whoever knows their names."""

    def __getitem__(self, name: str) -> str:
        if text := envstr(name):
            return text
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)

    def __repr__(self) -> str:
        """Without any value: some are keys, and error pages show settings."""
        return "Environment()"
