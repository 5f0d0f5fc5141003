"""The description of the API: valid, and complete in both directions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.test import AsyncClient
from django.urls import URLPattern, URLResolver, get_resolver
from openapi_spec_validator import validate

from chat.views import openapi
from chat.views.openapi.document import document


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


def operations() -> Iterator[dict[str, Any]]:
    """Every method of every path."""
    for path in document()["paths"].values():
        yield from path.values()


def test_every_operation_has_a_name_of_its_own_and_says_how_it_refuses():
    names = [operation["operationId"] for operation in operations()]
    assert len(set(names)) == len(names)
    for operation in operations():
        assert {"429", "503"} <= operation["responses"].keys()
        assert ("401" in operation["responses"]) or not operation["security"]


def test_every_query_that_the_api_reads_is_described():
    """The pages have queries of their own: `invitation`, `link`."""
    views = Path(openapi.__file__).parent.parent.glob("*.py")
    read = {name for view in views for name in re.findall(r'GET(?:\.get\(|\[)"(\w+)"', view.read_text())}
    described = {one["name"] for operation in operations() for one in operation.get("parameters", [])}
    assert read - {"invitation", "link", "language", "next"} <= described
    assert {"q", "cursor", "limit", "after", "poll", "snapshot", "ticket", "data", "alt", "format"} <= read
