"""`/v2/models`: what can be asked here, and what each of it can do."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat import auth, providers
from chat.views.api import api, json_response


@api("GET")
async def index(request: HttpRequest) -> HttpResponseBase:
    """The models, the default one first."""
    await auth.authenticate(request)
    models = [
        {
            "id": model.id,
            "title": model.title or model.id,
            "text": True,
            "images": model.images,
            "context": model.context,
            "default": place == 0,
        }
        for place, model in enumerate(providers.catalogue())
    ]
    return json_response({"models": models})
