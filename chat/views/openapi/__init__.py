"""`/v2/openapi.json`: the API described to machines, from the same structs that read the bodies.

parameters.py   queries, headers of requests and responses
schemas.py      what is answered
route.py        a route: what it takes, answers and refuses
routes.py       those of our own API; those of the doors are in door_routes.py
document.py     all of it as OpenAPI 3.1
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat.views.api import api, json_response
from chat.views.openapi.document import document


@api("GET")
async def show(request: HttpRequest) -> HttpResponseBase:
    """The description."""
    return json_response(document())
