"""`recording`: plays a recorded stream at its recorded pace, as `recording/<name>`. For tests and demonstrations.

Its settings:

    WONDERCAM_RECORDINGS        the folder of `<name>.jsonl` files
    WONDERCAM_RECORDING_SPEED   1 as recorded, 2 twice as fast, 0 without pauses
"""

import asyncio
from pathlib import Path

from chat.protocol import errors, events, recording
from chat.protocol.prompt import SOUND_TYPES, Model, Prompt
from chat.providers import validation
from chat.providers.settings import Settings, named, number, text

SUFFIX = ".jsonl"


class Recordings:
    """A provider whose models are the recordings in a folder."""

    name = "recording"

    def __init__(self, folder: Path, names: list[str], speed: float = 1.0) -> None:
        self._folder = folder
        self._names = names
        self._speed = speed

    def models(self) -> tuple[Model, ...]:
        """One model per recording. All accept photos and sounds, and ignore them."""
        return tuple(
            Model("recording", name, f"Recording: {name}", images=True, sounds=SOUND_TYPES, functions=False)
            for name in self._names
        )

    async def close(self) -> None:
        """Do nothing: no file or connection stays open."""

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Pass the recorded events except event 0 to `give`, each at its time. Raises a recorded error as ApiError,
        NotFound without such a file, BadUpstream for an invalid event, Truncated if no event has a finishReason."""
        path = self._folder / f"{prompt.model.name}{SUFFIX}"
        lines = await asyncio.to_thread(_lines, path)
        played = recording.load(lines)
        loop = asyncio.get_running_loop()
        start = loop.time()
        for event in played.events:
            if event.seq == 0:
                continue
            if self._speed:
                await asyncio.sleep(max(0.0, start + event.at / 1e6 / self._speed - loop.time()))
            response = events.decode(event.data)
            if isinstance(response.get("error"), dict):
                raise recorded(response["error"])
            if not validation.is_sound(response):
                raise validation.unsound("The recording")
            if (full := give(chunk := events.chunk(response))) is not None:
                await asyncio.shield(full)
            if chunk.reason:
                return
        raise errors.Truncated(played.error or "The recording ends in the middle of the answer.")


def recorded(error: dict[str, object]) -> errors.ApiError:
    """Return a recorded error as the ApiError of its status."""
    kinds = {kind.status: kind for kind in errors.ApiError.__subclasses__()}
    message = error.get("message")
    kind = kinds.get(str(error.get("status")), errors.Internal)
    return kind(message if isinstance(message, str) else "The recorded answer failed.")


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError:
        raise errors.NotFound("There is no such recording on this server.") from None


def from_settings(settings: Settings) -> Recordings | None:
    """Return the provider if WONDERCAM_MODELS names a recording (`recording/*`: all), or if that is unset and
    WONDERCAM_RECORDINGS is set; else None. Raises ValueError for a missing folder or file."""
    names = named(settings, "recording")
    given = text(settings, "WONDERCAM_RECORDINGS")
    if not names and not (given and not text(settings, "WONDERCAM_MODELS")):
        return None
    folder = Path(given or "tests/recordings")
    if not folder.is_dir():
        raise ValueError("WONDERCAM_RECORDINGS is not a folder: recordings are `<name>.jsonl` files in it.")
    there = sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))
    if not names or "*" in names:
        names = list(dict.fromkeys([name for name in names if name != "*"] + there))
    for name in names:
        if name not in there:
            raise ValueError(f"WONDERCAM_MODELS names recording/{name}: WONDERCAM_RECORDINGS has no {name}{SUFFIX}.")
    speed = number(settings, "WONDERCAM_RECORDING_SPEED", 1.0)
    return Recordings(folder, names, speed)
