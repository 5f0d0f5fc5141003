"""Recordings that a test writes itself: the answer is exactly what the test wants to see on the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chat.protocol import events, recording
from chat.protocol.events import Event


def record(folder: Path, name: str, pieces: Sequence[str | dict[str, Any]], gap_us: int = 1000) -> dict[str, str]:
    """Write a recording of one event a piece (a text, or a whole response); the settings that play it."""
    responses = [piece if isinstance(piece, dict) else events.delta(piece) for piece in pieces]
    responses.append(events.finish("STOP", {"candidatesTokenCount": len(pieces)}))
    log = [Event(seq, seq * gap_us, events.encode(response)) for seq, response in enumerate(responses, 1)]
    (folder / f"{name}.jsonl").write_text("".join(recording.dump({"title": name}, [Event(0, 0, events.OK_DATA), *log])))
    return {"WONDERCAM_MODELS": f"recording/{name}", "WONDERCAM_RECORDINGS": str(folder)}


def thought(text: str) -> dict[str, Any]:
    """A response that is part of the model's thoughts."""
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text, "thought": True}]}}]}


def picture(data: str, mime_type: str = "image/png") -> dict[str, Any]:
    """A response that is a picture, in base64."""
    part = {"inlineData": {"mimeType": mime_type, "data": data}}
    return {"candidates": [{"content": {"role": "model", "parts": [part]}}]}
