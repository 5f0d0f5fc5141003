"""The routes of the doors: Gemini's API and OpenAI's."""

from chat.protocol.completions import Completion
from chat.protocol.openai_responses import ResponseRequest
from chat.views.gemini import GenerateContent
from chat.views.openapi import parameters as of
from chat.views.openapi.route import CHUNK, DOOR, OPENAI, RESPONSE_EVENT, STREAM, Route

MODEL = "/v1beta/models/{model}"
RESPONSES = "/v1/responses"
RESPONSE = f"{RESPONSES}/{{response}}"

DOORS = (
    Route(
        "POST",
        f"{MODEL}:generateContent",
        "generateContent",
        "Gemini's API: one answer",
        GenerateContent,
        "GenerateContentResponse",
        of.KEY,
        DOOR,
        refuses=(409,),
    ),
    Route(
        "POST",
        f"{MODEL}:streamGenerateContent",
        "streamGenerateContent",
        "Gemini's API: the answer as it is generated",
        GenerateContent,
        STREAM,
        of.ALT,
        DOOR,
        other=("GenerateContentResponses",),
        refuses=(409,),
    ),
    Route(
        "POST",
        f"{MODEL}:countTokens",
        "countTokens",
        "Gemini's API: the tokens of a request",
        GenerateContent,
        "Count",
        of.KEY,
        DOOR,
    ),
    Route(
        "GET",
        "/v1beta/models",
        "models",
        "The models in Gemini's shape, and OpenAI's beside it",
        answer="Listing",
        takes=of.PAGES,
        who=DOOR,
        refuses=(400,),
    ),
    Route(
        "POST",
        "/v1/chat/completions",
        "complete",
        "OpenAI's API: one completion, or with `stream` true its chunks",
        Completion,
        "Completed",
        who=OPENAI,
        other=(CHUNK,),
        refuses=(404,),
    ),
    Route(
        "POST",
        RESPONSES,
        "createResponse",
        "OpenAI's Responses API: one response, or with `stream` true its typed events",
        ResponseRequest,
        "Responded",
        who=OPENAI,
        other=(RESPONSE_EVENT,),
        refuses=(404,),
    ),
    Route(
        "GET",
        RESPONSE,
        "response",
        "A response as it is now, or with `stream` true its typed events",
        answer="Responded",
        takes=of.RESPONSE,
        who=OPENAI,
        other=(RESPONSE_EVENT,),
    ),
    Route(
        "DELETE",
        RESPONSE,
        "deleteResponse",
        "Delete it with its conversation",
        answer="Gone",
        who=OPENAI,
        refuses=(400,),
    ),
    Route("POST", f"{RESPONSE}/cancel", "cancelResponse", "Stop it; idempotent", answer="Responded", who=OPENAI),
    Route(
        "POST",
        f"{RESPONSES}/input_tokens",
        "countInputTokens",
        "The tokens of a request to the Responses API",
        ResponseRequest,
        "InputTokens",
        who=OPENAI,
        refuses=(404,),
    ),
)
