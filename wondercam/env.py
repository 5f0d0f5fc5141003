"""Settings come from environment variables (and `.env`), each declared in `wondercam.variables` and read once.

Each function uses the default and the bounds of the variable's declaration. An invalid value raises
ImproperlyConfigured, whose message names the variable and says what to write.
"""

import os
import re
from collections.abc import Iterator, Mapping

from django.core.exceptions import ImproperlyConfigured

from wondercam import variables

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
HOST = re.compile(r"\*|\.?[\w-]+(?:\.[\w-]+)*\.?|\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)
"""A name or an address; with a dot before it all its subdomains; * is every host."""


def envstr(name: str, default: str | None = None) -> str:
    """Return the value without surrounding whitespace; if it is unset or empty, `default`, or the declared default."""
    declared = variables.ALL[name].default
    return os.environ.get(name, "").strip() or str(
        ("" if declared is None else declared) if default is None else default
    )


def envbool(name: str, default: bool | None = None) -> bool:
    """Parse a boolean: one of TRUE or FALSE. Raises ImproperlyConfigured."""
    text = envstr(name, "").lower()
    if not text:
        return bool(variables.ALL[name].default if default is None else default)
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ImproperlyConfigured(f"{name} is {text!r}: write 1 (on) or 0 (off).")


def envint(name: str) -> int:
    """Parse an integer within the declared bounds. Raises ImproperlyConfigured."""
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
    """Return one of `choices`, or the default as `envstr` does. Raises ImproperlyConfigured."""
    text = envstr(name, default).lower()
    if text not in choices:
        raise ImproperlyConfigured(f"{name} is {text!r}: write {', '.join(choices[:-1])} or {choices[-1]}.")
    return text


def envlist(name: str) -> list[str]:
    """Parse a comma-separated list, without empty entries."""
    return [item.strip() for item in envstr(name).split(",") if item.strip()]


def envhosts(name: str) -> list[str]:
    """Parse a list of hosts, as Django compares them with a request's. Raises ImproperlyConfigured, for example for an
    address with its scheme, or a port: no request would ever match it."""
    for host in (hosts := envlist(name)):
        if not HOST.fullmatch(host):
            sentence = (
                f"{name} has {host!r}: write the host alone, such as chat.example.com, 192.0.2.7 or [2001:db8::7]."
            )
            raise ImproperlyConfigured(sentence)
    return hosts


class Environment(Mapping[str, str]):
    """All environment variables as a mapping, read on access. `defaults` are for variables whose default depends on the
    site."""

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
        """Return no values: some are keys, and Django's error pages show settings."""
        return "Environment()"
