"""The reference peer: what a good engineer writes in an afternoon with the fastest parts there are.

FastAPI, uvicorn with uvloop and httptools, one httpx client for all requests without a limit on connections.
The JWT is checked, OK is sent at once, the upstream's bytes are passed on as they are. Nothing is stored,
nothing is parsed, a dropped reader's answer is lost: it does less than WonderCam on purpose.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse

URL = f"{os.environ['GEMINI_BASE_URL']}/v1beta/models/bench:streamGenerateContent?alt=sse"
KEY = os.environ["JWT_SIGNING_KEY"]
OK = b'data: {"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}\n\n'
DONE = b"data: [DONE]\n\n"
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}

client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(), trust_env=False)


@dataclass
class Question:
    """The body that WonderCam takes, too."""

    contents: list[dict[str, Any]]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Close the client with the server."""
    async with client:
        yield


def reader(authorization: Annotated[str, Header()]) -> str:
    """Who asks; 401 for a token that is not ours."""
    try:
        return str(jwt.decode(authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"])["user_id"])
    except jwt.PyJWTError:
        raise HTTPException(401) from None


async def answer(question: Question) -> AsyncGenerator[bytes]:
    """OK, the upstream's bytes, `[DONE]`."""
    yield OK
    body = {"contents": [{"role": "user", "parts": question.contents}]}
    async with client.stream("POST", URL, json=body, headers={"x-goog-api-key": "x"}) as response:
        async for data in response.aiter_raw():
            yield data
    yield DONE


async def echat(question: Question, user: Annotated[str, Depends(reader)]) -> StreamingResponse:
    """Start an answer."""
    return StreamingResponse(answer(question), media_type="text/event-stream", headers=HEADERS)


async def healthz() -> dict[str, str]:
    """The process serves."""
    return {"status": "ok"}


app = FastAPI(lifespan=lifespan)
app.add_api_route("/v2/echat", echat, methods=["POST"])
app.add_api_route("/healthz", healthz)
