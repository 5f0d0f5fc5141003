"""`/v2/models`: the models, and what each of them takes."""

from django.http.response import HttpResponseBase

from chat.accounts import tokens
from chat.protocol.prompt import Model
from chat.providers.catalogue import Catalogue
from chat.views.api import Request, api, json_response

SEEN, READ, NO = "seen", "read", "no"
"""What happens to a photo: the model sees it, the model gets a description by the server, or it is refused."""


def photos(catalogue: Catalogue, model: Model) -> str:
    """What happens to a photo in a question to this model."""
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
            "thinks": model.thinks,
            "context": model.context,
            "default": place == 0,
        }
        for place, model in enumerate(catalogue.models())
    ]
    return json_response({"models": models})
