"""The app's system checks; the ids of all checks are listed in wondercam/checks.py."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from chat import telemetry
from chat.providers.catalogue import Catalogue

TOKEN = re.compile(r"[!-~]*")
"""What a Bearer token is made of here: visible ASCII. A header has no other letters that all clients send alike."""


@register("wondercam")
def providers_configured(**_: Any) -> list[CheckMessage]:
    """Whether the variables of the providers can be used. They stop `serve`, and not `migrate`."""
    try:
        Catalogue(settings.PROVIDERS)
    except ValueError as wrong:
        return [Error(str(wrong), hint="docs/settings.md, under Models.", id="wondercam.E005")]
    return []


@register("wondercam")
def telemetry_installed(**_: Any) -> list[CheckMessage]:
    """Whether what is to be sent to OpenTelemetry's collector can be sent."""
    if not settings.OTEL_ENDPOINT or telemetry.installed():
        return []
    sentence = "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry's packages are missing: nothing is sent there."
    hint = "Install the extra `otel`: pip install 'wondercam[otel]', or opentelemetry-exporter-otlp-proto-http."
    return [Warning(sentence, hint=hint, id="wondercam.W007")]


@register("wondercam")
def telemetry_address(**_: Any) -> list[CheckMessage]:
    """Check the address of OpenTelemetry's collector. The message does not contain it: it may contain a password."""
    if not settings.OTEL_ENDPOINT or is_address(settings.OTEL_ENDPOINT):
        return []
    hint = "Write its scheme and host, such as http://127.0.0.1:4318; OTLP over gRPC (port 4317) is not supported."
    return [Error("OTEL_EXPORTER_OTLP_ENDPOINT is not an address.", hint=hint, id="wondercam.E007")]


def is_address(text: str) -> bool:
    """Whether it is a URL of HTTP with a host."""
    try:
        split = urlsplit(text)
        return split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0 and text.isprintable()
    except ValueError:  # a port out of range, or brackets that do not match
        return False


@register("wondercam")
def metrics_token(**_: Any) -> list[CheckMessage]:
    """Check that a header can carry the token: with any other nobody could read the metrics."""
    if TOKEN.fullmatch(settings.METRICS_TOKEN):
        return []
    sentence = "WONDERCAM_METRICS_TOKEN has a space or a character that is not ASCII: no monitor can send it."
    return [Error(sentence, hint="Use the output of `openssl rand -hex 24`.", id="wondercam.E008")]
