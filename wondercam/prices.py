"""Parses the prices of tokens (`WONDERCAM_PRICES`) and their currency."""

import re
from decimal import Decimal

from django.core.exceptions import ImproperlyConfigured

NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
PRICE = re.compile(rf"(?P<model>[a-z0-9_-]+/\S+)\s*=\s*(?P<given>{NUMBER})\s*/\s*(?P<made>{NUMBER})", re.ASCII)
CURRENCY = re.compile(r"[A-Z]{3}")


def prices(items: list[str]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the prices of a million input tokens and a million output tokens, by `provider/model` or `provider/*`.

    Raises ImproperlyConfigured for an invalid item, and for a second price of a model.
    """
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for item in items:
        price = PRICE.fullmatch(item)
        if price is None:
            sentence = "write provider/model=input/output, such as gemini/gemini-2.5-flash=0.30/2.50."
            raise ImproperlyConfigured(f"WONDERCAM_PRICES has {item!r}: {sentence}")
        if price["model"] in found:
            raise ImproperlyConfigured(f"WONDERCAM_PRICES has two prices of {price['model']}: leave one.")
        found[price["model"]] = Decimal(price["given"]), Decimal(price["made"])
    return found


def currency(text: str) -> str:
    """Return the currency's three letters. Raises ImproperlyConfigured for other texts."""
    if not CURRENCY.fullmatch(text):
        raise ImproperlyConfigured(f"WONDERCAM_CURRENCY is {text!r}: write its three letters, such as USD or EUR.")
    return text
