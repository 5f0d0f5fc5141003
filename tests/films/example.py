"""static/chat/example/: a photo of the sign and an answer to it, as it was streamed, for the empty page.

The model is simulated, and the answer says that it is a recording.
"""

import asyncio
import base64
import io
from pathlib import Path

import pytest

from tests.fakes.server import Server
from tests.films.model import environment, says
from tests.films.viewfinder import scene
from tests.servers.wondercam import ROOT, Serve, WonderCam

EXAMPLE = Path(ROOT, "static/chat/example")
FRAME = (320, 60, 960, 540)
"""The part of the scene that is photographed."""

ANSWER = (
    "A **sign on a brick wall**. It says:\n\n> GATE 42  \n> CLOSED  \n> USE GATE 44\n\n"
    "So if your boarding pass says 42, go to **gate 44**.\n\n"
    "*This is a recording of an answer: every word comes at the moment at which it came then. Pause it, go back, or "
    "play it slower. Each of your own answers can be played again like this.*"
)


@pytest.mark.timeout(300)
async def test_a_question_about_a_photo_is_answered_and_recorded(serve: Serve) -> None:
    taken = io.BytesIO()
    scene().crop(FRAME).save(taken, "JPEG", quality=80)
    async with Server(says(ANSWER)) as model:
        recorded = await asyncio.to_thread(answered, serve(environment(model.url, OPENAI_IMAGES="1")), taken.getvalue())
    assert recorded.endswith("data: [DONE]\n\n")
    EXAMPLE.mkdir(exist_ok=True)
    EXAMPLE.joinpath("answer.txt").write_text(recorded)
    EXAMPLE.joinpath("photo.jpg").write_bytes(taken.getvalue())


def answered(server: WonderCam, photo: bytes) -> str:
    """The body of the answer's stream, with its times."""
    inline = {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(photo).decode()}}
    with server.client() as client:
        asked = client.post("/v2/echat", json={"contents": [inline, {"text": "What is this?"}]}).raise_for_status()
        address = f"/v2/streams/{asked.headers['X-Stream-Id']}?poll=1"
        return client.get(address, headers={"X-WonderCam-Timing": "1"}).raise_for_status().text
