"""The description of the API: valid, and complete in both directions."""

import re

from django.test import AsyncClient
from django.urls import URLPattern, URLResolver, get_resolver
from openapi_spec_validator import validate

from chat.views.openapi import document


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> list[str]:
    """Every address of the sitemap, its parameters as `{}`."""
    found: list[str] = []
    for entry in patterns:
        here = prefix + str(entry.pattern).removeprefix("^").removesuffix("$")
        found += addresses(entry.url_patterns, here) if isinstance(entry, URLResolver) else [here]
    return found


def bare(path: str) -> str:
    """An address without the names of its parameters."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path)


def test_the_description_is_valid_openapi():
    validate(document())


def test_every_route_of_the_api_is_described_and_nothing_else_is():
    routes = {bare(path) for path in addresses(get_resolver().url_patterns) if path.startswith("/v2/")}
    described = {bare(path) for path in document()["paths"] if path.startswith("/v2/")}

    assert routes - {"/v2/openapi.json"} == described


def test_every_schema_that_is_named_is_there():
    text = str(document())
    named = set(re.findall(r"#/components/schemas/(\w+)", text))

    assert named <= document()["components"]["schemas"].keys()


async def test_it_is_served_to_anybody():
    response = await AsyncClient().get("/v2/openapi.json")

    assert response.status_code == 200
    assert response.json()["info"]["title"] == "WonderCam"
