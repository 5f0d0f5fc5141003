"""JSON of proto3 messages as its parsers take it: names in camelCase or in snake_case.

What a user has named is left alone: arguments of functions, properties of schemas, labels
(https://protobuf.dev/programming-guides/json).
"""

import re
from typing import Any

UNDERSCORE = re.compile(r"_([a-z0-9])")

OPAQUE = {"args", "response", "labels", "parametersJsonSchema", "responseJsonSchema", "default", "example", "enum"}
"""Fields that hold a value of the user's own."""

MAPS = {"properties", "defs"}
"""Fields whose keys are the user's own."""


def camel_case(value: Any) -> Any:
    """A message with every field's name in camelCase, at every level."""
    if isinstance(value, list):
        return [camel_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _field(name, item) for name, item in ((camel(key), item) for key, item in value.items())}


def camel(name: str) -> str:
    """`inline_data` → `inlineData`."""
    return UNDERSCORE.sub(lambda found: found[1].upper(), name) if "_" in name else name


def _field(name: str, value: Any) -> Any:
    if name in OPAQUE:
        return value
    if name in MAPS and isinstance(value, dict):
        return {key: camel_case(item) for key, item in value.items()}
    return camel_case(value)
