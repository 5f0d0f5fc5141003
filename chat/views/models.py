"""`/v2/models`: what can be asked here, and what each of it can do."""

from django.http.response import HttpResponseBase

from chat.accounts import tokens
from chat.protocol.prompt import Model
from chat.providers.catalogue import Catalogue
from chat.views.api import Request, api, json_response

SEEN, READ, NO = "seen", "read", "no"
"""What becomes of a photo: the model sees it, it is told what the server recognises in it, or the photo is refused."""


def photos(catalogue: Catalogue, model: Model) -> str:
    """What becomes of a photo that is sent to the model."""
    if model.images:
        return SEEN
    return READ if catalogue.senses.takes_photos(model) else NO


@api("GET")
async def index(request: Request) -> HttpResponseBase:
    """The models, the default one first."""
    await tokens.authenticate(request)
    catalogue = request.process.catalogue
    models = [
        {
            "id": model.id,
            "title": model.title or model.id,
            "text": True,
            "images": model.images,
            "photos": photos(catalogue, model),
            "sounds": bool(model.sounds),
            "sound_types": model.sounds,
            "context": model.context,
            "default": place == 0,
        }
        for place, model in enumerate(catalogue.models())
    ]
    return json_response({"models": models})
