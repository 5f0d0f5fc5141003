"""Settings come from environment variables (and `.env`), each declared in `wondercam.variables` and read once.

Each reader takes the default and the bounds of the variable's declaration, and names the variable in the sentence it
raises, so that a wrong value stops the start with something a person can act on.
"""

import os
from collections.abc import Iterator, Mapping

from django.core.exceptions import ImproperlyConfigured

from wondercam import variables

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def envstr(name: str, default: str | None = None) -> str:
    """The variable's text without surrounding space; where it is unset or empty `default`, else the declared one."""
    declared = variables.ALL[name].default
    return os.environ.get(name, "").strip() or str(
        ("" if declared is None else declared) if default is None else default
    )


def envbool(name: str, default: bool | None = None) -> bool:
    """True or False; ImproperlyConfigured names the variable when the text is neither."""
    text = envstr(name, "").lower()
    if not text:
        return bool(variables.ALL[name].default if default is None else default)
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ImproperlyConfigured(f"{name} is {text!r}: write 1 (on) or 0 (off).")


def envint(name: str) -> int:
    """A whole number within the declared bounds; ImproperlyConfigured names the variable otherwise."""
    variable, text = variables.ALL[name], envstr(name)
    try:
        number = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}: write a whole number.") from None
    if number < variable.least or (variable.most is not None and number > variable.most):
        upper = "" if variable.most is None else f" and at most {variable.most}"
        raise ImproperlyConfigured(f"{name} is {number}: it must be at least {variable.least}{upper}.")
    return number


def envchoice(name: str, default: str | None, choices: tuple[str, ...]) -> str:
    """One of `choices`; where it is unset `default`, else the declared one. ImproperlyConfigured names the variable."""
    text = envstr(name, default).lower()
    if text not in choices:
        raise ImproperlyConfigured(f"{name} is {text!r}: write {', '.join(choices[:-1])} or {choices[-1]}.")
    return text


def envlist(name: str) -> list[str]:
    """A comma-separated list, empty entries dropped."""
    return [item.strip() for item in envstr(name).split(",") if item.strip()]


class Environment(Mapping[str, str]):
    """All variables that are set, read when they are asked for by whoever knows their names; `defaults` for some that
    depend on the site."""

    def __init__(self, defaults: Mapping[str, str] | None = None) -> None:
        self._defaults = dict(defaults or {})

    def __getitem__(self, name: str) -> str:
        if text := os.environ.get(name, "").strip():
            return text
        return self._defaults[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)

    def __repr__(self) -> str:
        """Without any value: some are keys, and error pages show settings."""
        return "Environment()"
