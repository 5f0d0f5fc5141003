"""The description of the API as one OpenAPI 3.1 document."""

import re
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from chat.views.openapi.parameters import OF_STREAM, RETRY_AFTER
from chat.views.openapi.route import (
    ANYBODY,
    BEARER,
    CHUNK,
    DOOR,
    FEED,
    FORM,
    OPENAI,
    PAGE,
    READER,
    RESPONSE_EVENT,
    STREAM,
    TICKET,
    Route,
)
from chat.views.openapi.routes import ROUTES
from chat.views.openapi.schemas import BINARY, ID, SCHEMAS, TEXT, Schema

ABOUT = (
    "Ask, read answers as they are generated, resume them, and everything else that the page does. "
    "Errors before a stream begins have a real status; after that they are an event of the stream."
)
JSON = "application/json"
EVENTS = "text/event-stream"
NOTHING = "204"
EVENT_NAMES = {STREAM, FEED, CHUNK, RESPONSE_EVENT}

BY_TOKEN: Schema = {"bearer": []}
SECURITY: dict[str, list[Schema]] = {
    BEARER: [BY_TOKEN],
    ANYBODY: [],
    PAGE: [{"session": [], "csrf": []}],
    READER: [BY_TOKEN, {"session": []}],
    TICKET: [BY_TOKEN, {"ticket": []}],
    DOOR: [BY_TOKEN, {"google": []}, {"key": []}],
    OPENAI: [BY_TOKEN],
}
SCHEMES: dict[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or a personal API key"},
    "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
    "ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
    "google": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
    "key": {"type": "apiKey", "in": "query", "name": "key"},
}
IN_PATH: dict[str, Schema] = {
    "model": {"type": "string", "pattern": "^[A-Za-z0-9._/-]+$"},
    "response": {"type": "string", "pattern": "^resp_[0-9a-f]{32}$"},
    "stream": {
        "description": "A stream's id, or the id that its answer has in OpenAI's APIs.",
        "oneOf": [ID, {"type": "string", "pattern": "^(chatcmpl-|resp_)[0-9a-f]{32}$"}],
    },
}
"""What stands in an address under these names; under all others an id."""


@cache
def document() -> Schema:
    """The whole description."""
    routes = [(tag, route) for tag, some in ROUTES.items() for route in some]
    bodies = tuple({route.body for _, route in routes if isinstance(route.body, type)})
    _, read = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    paths: dict[str, Schema] = {}
    for tag, route in routes:
        described = {"tags": [tag], **operation(route)}
        paths.setdefault(route.path, {})[route.method.lower()] = described
        if route.method == "GET":
            paths[route.path]["head"] = without_content(described)
    return {
        "openapi": "3.1.0",
        "info": {"title": "WonderCam", "version": "2", "description": ABOUT},
        "tags": [{"name": tag} for tag in ROUTES],
        "paths": paths,
        "components": {"schemas": {**bounded(dict(sorted(read.items()))), **SCHEMAS}, "securitySchemes": SCHEMES},
    }


def bounded(schema: Any) -> Any:
    """The schema without `"items": false` behind the items of a tuple, whose number is bounded beside it anyway: some
    generators of clients know no schema that is false."""
    if isinstance(schema, list):
        return [bounded(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: bounded(each) for name, each in schema.items() if (name, each) != ("items", False)}


def operation(route: Route) -> Schema:
    """One method of one path."""
    answers = {str(status): refusal(status, route) for status in sorted(statuses_refused(route))}
    described: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "security": SECURITY[route.who],
        "responses": {**successes(route), **answers, "default": refusal(500, route)},
    }
    names = re.findall(r"\{(\w+)\}", route.path)
    in_path = [{"name": name, "in": "path", "required": True, "schema": IN_PATH.get(name, ID)} for name in names]
    if found := [*in_path, *(parameter.as_json() for parameter in route.takes)]:
        described["parameters"] = found
    if isinstance(route.body, type):
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": ref(route.body.__name__)}}}
    elif route.body == FORM:
        described["requestBody"] = {"required": True, "content": {FORM: {"schema": ref("AttachmentForm")}}}
    return described


def without_content(described: Schema) -> Schema:
    """HEAD of an address whose GET is `described`: the same statuses and headers, and no body."""
    name, responses = described["operationId"], described["responses"]
    bare = {status: {key: each for key, each in told.items() if key != "content"} for status, told in responses.items()}
    return {**described, "operationId": f"{name}Head", "summary": f"The headers of `{name}`", "responses": bare}


def statuses_refused(route: Route) -> set[int]:
    """With which statuses a route may refuse what it is asked, besides what any server may say."""
    found = {*route.refuses, 429, 503}
    if route.body is not None:
        found |= {400, 413, 415}
    if route.takes:
        found.add(400)
    if route.who != ANYBODY:
        found |= {401, 403}
    elif route.body is not None:
        found.add(401)  # wrong words or a wrong token
    if "{" in route.path:
        found.add(404)
    return found


def successes(route: Route) -> Schema:
    """What a success looks like."""
    if not route.answer:
        return {NOTHING: {"description": "Done"}}
    content = media(route.answer)
    for other in route.other:
        content |= {} if other == NOTHING else media(other)
    found: Schema = {"description": "OK", "content": content}
    if STREAM in (route.answer, *route.other) and route.name != "probe":
        found["headers"] = OF_STREAM
    nothing_left = {NOTHING: {"description": "Nothing is left to come"}} if NOTHING in route.other else {}
    return {str(route.status): found, **nothing_left}


def media(answer: str) -> Schema:
    """The content of a response: in an event stream the schema is that of each event."""
    if "/" in answer:
        return {answer: {"schema": TEXT if answer.startswith("text/") else BINARY}}
    return {EVENTS if answer in EVENT_NAMES else JSON: {"schema": ref(answer)}}


def refusal(status: int, route: Route) -> Schema:
    """An error, in the model of Google or, where its clients ask, of OpenAI."""
    shape = "OpenAIError" if route.who == OPENAI else "Error"
    said = "What went wrong, in a sentence" if status == 500 else HTTPStatus(status).phrase
    found: Schema = {"description": said, "content": {JSON: {"schema": ref(shape)}}}
    return {**found, "headers": RETRY_AFTER} if status in (429, 503) else found


def ref(name: str) -> Schema:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}
