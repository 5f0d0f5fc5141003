"""A model of one's own in the embedded model's place, with or without eyes: what is checked, listed, and sent to it.

No weights of such a model are among the packages. Most files here are heads without tensors, and where a server is
needed a fake one takes the engine's place. One projector is whole and the real engine runs it with the installed
weights; its numbers are random, so that it shows the way of a photo and nothing of what a model sees.
"""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from chat.protocol import errors, events
from chat.protocol.prompt import Prompt
from chat.providers.catalogue import Catalogue
from chat.providers.local import gguf as heads
from chat.providers.local import provider, weights
from chat.providers.local.server import Embedded, Shape
from tests.fakes import openai
from tests.fakes.gguf import MODEL_HEAD, PATCH, PROJECTOR_HEAD, SIDE, gguf, tiny_projector
from tests.fakes.server import Server
from tests.unit.providers.conftest import responses

PHOTO = {"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's file."""
    path = tmp_path / "Tiny VL 3B-Q4_K_M.gguf"
    path.write_bytes(gguf(MODEL_HEAD))
    return path


@pytest.fixture
def projector(tmp_path: Path) -> Path:
    """The file of its projector."""
    path = tmp_path / "mmproj-tiny.gguf"
    path.write_bytes(gguf(PROJECTOR_HEAD))
    return path


def catalogue(**settings: Any) -> Catalogue:
    """The models that these settings give."""
    return Catalogue({name: str(value) for name, value in settings.items()})


def refused(**settings: Any) -> str:
    """The sentence with which these settings stop the start."""
    with pytest.raises(ValueError, match="LOCAL_") as wrong:
        catalogue(**settings)
    return str(wrong.value)


def test_the_installed_weights_are_a_model_whose_width_is_known() -> None:
    (path,) = weights.installed()
    assert heads.head_of(path) == heads.GgufHeader("llama", 576)


def test_a_model_of_ones_own_is_listed_by_its_files_name_and_does_not_see(model: Path) -> None:
    (listed,) = catalogue(LOCAL_WEIGHTS=model).models()
    assert (listed.id, listed.images, listed.context) == ("local/tiny-vl-3b-q4_k_m", False, 2048)
    assert listed.title == "Tiny VL 3B-Q4_K_M (on this server)"


def test_with_its_projector_it_sees_and_has_room_for_photos(model: Path, projector: Path) -> None:
    (listed,) = catalogue(LOCAL_WEIGHTS=model, LOCAL_MMPROJ=projector).models()
    assert (listed.id, listed.images, listed.context) == ("local/tiny-vl-3b-q4_k_m", True, 8192)


def test_the_name_of_the_installed_model_is_refused_for_another_one(model: Path) -> None:
    with pytest.raises(ValueError, match="the embedded model is local/tiny-vl-3b-q4_k_m"):
        catalogue(LOCAL_WEIGHTS=model, WONDERCAM_MODELS="local/smollm2-135m")


BROKEN = {
    "empty": b"",
    "other": b"PK\3\4" + bytes(100),
    "head only": b"GGUF",
    "nothing known": b"GGUF" + bytes(1000),
    "newer": gguf(MODEL_HEAD, version=9),
    "cut": gguf(MODEL_HEAD)[:-7],
    "countless keys": b"GGUF\3\0\0\0" + bytes(8) + b"\xff" * 8,
    "endless text": gguf({"general.architecture": "llama"})[:-13] + b"\xff" * 13,
    "no architecture": gguf({"general.name": "x"}),
}


@pytest.mark.parametrize("name", ["LOCAL_WEIGHTS", "LOCAL_MMPROJ"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_gguf_stops_the_start(tmp_path: Path, model: Path, name: str, content: bytes) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    said = refused(**{"LOCAL_WEIGHTS": model, name: path})
    assert said == f"{name} is {path}, which is not a GGUF file, or a damaged one."


@pytest.mark.parametrize("name", ["LOCAL_WEIGHTS", "LOCAL_MMPROJ"])
def test_a_file_that_is_not_there_or_is_a_folder_stops_the_start(tmp_path: Path, model: Path, name: str) -> None:
    missing = tmp_path / "missing.gguf"
    assert refused(**{"LOCAL_WEIGHTS": model, name: missing}).endswith("and there is no such file.")
    assert "cannot be read: Is a directory" in refused(**{"LOCAL_WEIGHTS": model, name: tmp_path})


def test_the_projector_of_another_model_stops_the_start(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(gguf({**PROJECTOR_HEAD, "clip.vision.projection_dim": 2048}))
    said = refused(LOCAL_WEIGHTS=model, LOCAL_MMPROJ=path)
    assert "the projector of another model" in said
    assert "2048 numbers, and this model takes 576" in said


def test_what_an_old_projector_says_of_its_width_is_not_held_against_it(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "old.gguf"
    old = {**PROJECTOR_HEAD, "clip.has_llava_projector": True, "clip.vision.projection_dim": 768}
    path.write_bytes(gguf(old))
    assert catalogue(LOCAL_WEIGHTS=model, LOCAL_MMPROJ=path).models()[0].images


def test_files_in_each_others_place_stop_the_start(model: Path, projector: Path) -> None:
    assert "name it in LOCAL_MMPROJ" in refused(LOCAL_WEIGHTS=projector)
    assert "a model and no projector" in refused(LOCAL_WEIGHTS=model, LOCAL_MMPROJ=model)
    assert "name its model there" in refused(LOCAL_MMPROJ=projector)


def test_a_projector_for_sound_alone_is_told_apart(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "ears.gguf"
    path.write_bytes(gguf({**PROJECTOR_HEAD, "clip.has_vision_encoder": False, "clip.has_audio_encoder": True}))
    assert "does not take pictures" in refused(LOCAL_WEIGHTS=model, LOCAL_MMPROJ=path)


class Engine:
    """In the place of `xllamacpp`: its server is a fake one, and what it was started with is kept."""

    def __init__(self, address: str, failure: Exception | None = None) -> None:
        self.params: list[Any] = []
        self._address, self._failure = address, failure

    def CommonParams(self) -> Any:
        """As llama.cpp has them: settings, some of them in groups."""
        groups = ("model", "mmproj", "cpuparams", "cpuparams_batch")
        return SimpleNamespace(**{group: SimpleNamespace() for group in groups})

    def Server(self, params: Any) -> Any:
        """A server that listens."""
        self.params.append(params)
        if self._failure is not None:
            raise self._failure
        return SimpleNamespace(listening_address=self._address)


def seeing(engine: Engine, settings: Mapping[str, str]) -> provider.Local:
    """The embedded provider with that engine."""
    return provider.Local(Embedded(Shape(context=8192), weights.from_settings(settings), lambda: engine))


async def test_a_photo_is_sent_to_a_model_that_sees_and_its_answer_is_read(model: Path, projector: Path) -> None:
    async with Server(openai.play) as server:
        engine = Engine(server.url)
        local = seeing(engine, {"LOCAL_WEIGHTS": str(model), "LOCAL_MMPROJ": str(projector)})
        question = Prompt(local.models()[0], [{"role": "user", "parts": [PHOTO, {"text": "What is this?"}]}])
        server.play = as_model("hello")
        said = "".join([events.text_of(response) async for response in responses(question, local.answer)])
        assert said == openai.TEXT
        assert (engine.params[0].model.path, engine.params[0].mmproj.path) == (str(model), str(projector))
        sent = server.requests[-1].json()
        assert sent["messages"][-1]["content"][0]["image_url"]["url"] == "data:image/jpeg;base64,QQ=="
        assert "dry_multiplier" not in sent
        assert sent["max_tokens"] == 2048
        await local.close()


def as_model(name: str) -> Any:
    """The fake server, whatever the request calls the model."""

    async def play(request: Any, reply: Any) -> None:
        await reply.head()
        await reply.send(openai.BODIES[name])
        await reply.end()

    return play


async def test_a_model_that_is_not_loaded_with_its_projector_says_so(model: Path, projector: Path) -> None:
    engine = Engine("", RuntimeError("mismatch between text model and mmproj"))
    local = seeing(engine, {"LOCAL_WEIGHTS": str(model), "LOCAL_MMPROJ": str(projector)})
    question = Prompt(local.models()[0], [{"role": "user", "parts": [{"text": "Hi"}]}])
    with pytest.raises(errors.Unavailable, match=r"its projector \(LOCAL_MMPROJ\), which may be that of another model"):
        await anext(responses(question, local.answer))
    projector.unlink()
    with pytest.raises(errors.NotFound, match="LOCAL_MMPROJ"):
        await anext(responses(question, local.answer))


@pytest.mark.slow
async def test_the_real_engine_reads_a_photo_through_a_projector_and_refuses_one_of_another_width(
    tmp_path: Path,
) -> None:
    (installed,) = weights.installed()
    path = tmp_path / "mmproj.gguf"
    path.write_bytes(tiny_projector(576))
    settings = {"LOCAL_WEIGHTS": str(installed), "LOCAL_MMPROJ": str(path)}
    local = provider.Local(Embedded(Shape(slots=1, context=2048), weights.from_settings(settings)))
    with_photo = await tokens_read(local, [jpeg(), {"text": "What is this?"}])
    assert with_photo - await tokens_read(local, [{"text": "What is this?"}]) >= (SIDE // PATCH) ** 2
    await local.close()

    path.write_bytes(tiny_projector(512))
    with pytest.raises(ValueError, match="the projector of another model"):
        weights.from_settings(settings)
    other = provider.Local(Embedded(Shape(slots=1), weights.Weights(installed, path, "m", "M")))
    with pytest.raises(errors.Unavailable, match="may be that of another model"):
        await tokens_read(other, [{"text": "Hi"}])
    await other.close()


def jpeg() -> dict[str, Any]:
    """A red photo."""
    data = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 20, 20)).save(data, "JPEG")
    return {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(data.getvalue()).decode()}}


async def tokens_read(local: provider.Local, parts: list[dict[str, Any]]) -> int:
    """The tokens of the question, as the engine counts them."""
    question = Prompt(local.models()[0], [{"role": "user", "parts": parts}], generation={"maxOutputTokens": 2})
    found = [response async for response in responses(question, local.answer)]
    return int(found[-1]["usageMetadata"]["promptTokenCount"])


async def test_photos_of_a_long_conversation_are_left_out_with_their_turns(model: Path) -> None:
    local = seeing(Engine(""), {"LOCAL_WEIGHTS": str(model)})
    turn: list[Any] = [
        {"role": "user", "parts": [PHOTO, {"text": "And this?"}]},
        {"role": "model", "parts": [{"text": "A cup."}]},
    ]
    asked = Prompt(local.models()[0], [*turn * 8, turn[0]], generation={"maxOutputTokens": 100})

    async def count(text: str) -> int:
        return len(text.split())

    kept = (await provider.fitted(asked, 4096, count)).contents
    assert len(kept) == 5
    assert kept[0]["role"] == "user"
