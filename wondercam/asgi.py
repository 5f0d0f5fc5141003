"""The site as an ASGI application: Django for HTTP, and what happens before the first request and after the last."""

import os

from channels.routing import ProtocolTypeRouter
from django import setup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wondercam.settings")
setup(set_prefix=False)

from chat.lifespan import application as lifespan  # noqa: E402 (models need the apps)
from wondercam.handler import Handler  # noqa: E402

application = ProtocolTypeRouter({"http": Handler(), "lifespan": lifespan})
