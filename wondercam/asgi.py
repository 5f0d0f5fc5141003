"""The ASGI application: Django for HTTP, and the lifespan protocol for startup and shutdown."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter
from django import setup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wondercam.settings")
setup(set_prefix=False)

from chat.lifespan import application as lifespan  # noqa: E402 (models need the apps)
from chat.views.body_limit import limit_of  # noqa: E402
from wondercam.handler import Handler  # noqa: E402
from wondercam.server.bodies import Limit  # noqa: E402

application = ProtocolTypeRouter({"http": Handler(), "lifespan": lifespan})


def body_limit(scope: dict[str, Any]) -> Limit:
    """Return the limit of a request's body. The server calls it when the headers have arrived."""
    most, error = limit_of(scope)
    return Limit(most, error.code, error.message)
