"""Parsers for the providers' settings, a mapping of names to strings, so that providers do not need Django.

An invalid value raises ValueError, whose message names the variable.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

Settings = Mapping[str, str]

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def text(settings: Settings, name: str, default: str = "") -> str:
    """Return the value without surrounding whitespace; `default` if it is missing or empty."""
    return settings.get(name, "").strip() or default


def items(settings: Settings, name: str) -> list[str]:
    """Parse a comma-separated list, without empty entries and duplicates."""
    return list(dict.fromkeys(item.strip() for item in text(settings, name).split(",") if item.strip()))


def flag(settings: Settings, name: str, default: bool) -> bool:
    """Parse a boolean: one of TRUE or FALSE. Raises ValueError."""
    value = text(settings, name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ValueError(f"{name} is {value!r}: write 1 (on) or 0 (off).")
    return value in TRUE


def number(settings: Settings, name: str, default: float, least: float = 0.0) -> float:
    """Parse a number from `least` to 1e12. Raises ValueError."""
    value = text(settings, name)
    if not value:
        return default
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if not least <= found < 1e12:
        raise ValueError(f"{name} is {value!r}: write a number from {least:g} up.")
    return found


def whole(settings: Settings, name: str, default: int, least: int = 0) -> int:
    """Parse an integer of at least `least`. Raises ValueError."""
    found = number(settings, name, default, least)
    if found != int(found):
        raise ValueError(f"{name} is {found:g}: write a whole number.")
    return int(found)


def address(settings: Settings, name: str, default: str = "") -> str:
    """Parse a base URL and strip trailing slashes: http or https, without user, query or fragment, which would get
    into logs. Raises ValueError."""
    value = text(settings, name, default)
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{name} is not an address such as https://host/path (without user, query and fragment).")
    return value.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether a URL's host is `localhost` or a loopback address."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def secret(settings: Settings, name: str) -> str:
    """Return an API key for a header: printable ASCII without spaces. Raises ValueError, without the key in it."""
    value = text(settings, name)
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{name} has characters that no key has (spaces, line ends, or others than ASCII).")
    return value


def named(settings: Settings, provider: str) -> list[str]:
    """Return the names of a provider's models in WONDERCAM_MODELS, in its order."""
    prefix = f"{provider}/"
    return [item.removeprefix(prefix) for item in items(settings, "WONDERCAM_MODELS") if item.startswith(prefix)]
