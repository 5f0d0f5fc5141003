"""`/v2/models`: what can be asked here, and what each of it can do."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat import providers
from chat.accounts import tokens
from chat.protocol.prompt import Model
from chat.views.api import api, json_response

SEEN, READ, NO = "seen", "read", "no"
"""What becomes of a photo: the model sees it, it is told what the server recognises in it, or the photo is refused."""


def photos(model: Model) -> str:
    """What becomes of a photo that is sent to the model."""
    if model.images:
        return SEEN
    return READ if providers.takes_photos(model) else NO


@api("GET")
async def index(request: HttpRequest) -> HttpResponseBase:
    """The models, the default one first."""
    await tokens.authenticate(request)
    models = [
        {
            "id": model.id,
            "title": model.title or model.id,
            "text": True,
            "images": model.images,
            "photos": photos(model),
            "context": model.context,
            "default": place == 0,
        }
        for place, model in enumerate(providers.models())
    ]
    return json_response({"models": models})
