"""`/metrics` for Prometheus, answered only to this machine and to requests with the token."""

from ipaddress import ip_address

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare

from chat import limits
from chat.protocol.errors import PermissionDenied
from chat.views.api import Request, api


@api("GET")
async def show(request: Request) -> HttpResponseBase:
    """The metrics of all workers of this machine."""
    if not (has_the_token(request) or is_from_here(request)):
        raise PermissionDenied("Metrics are for this machine, or for a Bearer token equal to WONDERCAM_METRICS_TOKEN.")
    request.process.update_metrics()
    body, media_type = await sync_to_async(request.process.metrics.exposition)(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=media_type)


def has_the_token(request: Request) -> bool:
    """Whether the request has the token of WONDERCAM_METRICS_TOKEN; False if none is set."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    return bool(token) and scheme.lower() == "bearer" and constant_time_compare(given.strip(), token)


def is_from_here(request: Request) -> bool:
    """Whether the request was sent on this machine, directly to this server.

    Requests through a proxy on this machine come from a loopback address too, but have the site's name as `Host`, or
    `Via`.
    """
    called, _ = split_domain_port(request.META.get("HTTP_HOST", ""))
    return "Via" not in request.headers and is_loopback(limits.address(request)) and is_loopback(called)


def is_loopback(name: str) -> bool:
    """Whether this address or name is a loopback one."""
    try:
        return name == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
