"""The app's system checks; the ids of all checks are listed in wondercam/checks.py."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from chat import telemetry
from chat.providers.catalogue import Catalogue


@register("wondercam")
def providers_configured(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Whether the variables of the providers can be used. They stop `serve`, and not `migrate`: that one checks what
    has to do with `databases`."""
    try:
        if not databases:
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
