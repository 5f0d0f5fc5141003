"""The site as an ASGI application: Django for HTTP, and what happens before the first request and after the last."""

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
    """How large the body of a request may be: what the server asks once the headers are there."""
    most, error = limit_of(scope)
    return Limit(most, error.code, error.message)
