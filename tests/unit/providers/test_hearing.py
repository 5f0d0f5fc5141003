"""Sounds and models: which models get them, in which format, fallbacks, and placeholders."""

import base64
from typing import Any

import pytest

from chat.protocol import errors
from chat.protocol.prompt import SOUND_TYPES, media_tokens
from chat.providers.openai import HEARD
from tests.catalogue import providers
from tests.fakes import gemini, openai
from tests.fakes.server import Server
from tests.unit.providers.conftest import ONCE, ask

DATA = base64.b64encode(b"RIFF sound").decode()
PHOTO = {"inlineData": {"mimeType": "image/jpeg", "data": "QQ=="}}


def sound(kind: str = "audio/wav") -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": DATA}}


def question(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [*parts, {"text": "What is said?"}]}]


def of_openai(server: Server, **settings: str) -> dict[str, str]:
    given = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "k", "WONDERCAM_MODELS": "openai/no-done"}
    return {**ONCE, **given, **settings}


async def test_gemini_is_given_the_sound_as_it_is() -> None:
    async with Server(gemini.play) as server:
        given = {"GEMINI_API_KEY": "k", "GEMINI_BASE_URL": server.url, "WONDERCAM_MODELS": "gemini/hello"}
        providers.configure({**ONCE, **given})
        (model,) = providers.models()
        assert model.sounds == SOUND_TYPES
        asked = question(sound("audio/ogg"), PHOTO)
        assert (await ask(None, contents=asked)).error is None
        assert server.requests[-1].json()["contents"] == asked


@pytest.mark.parametrize(("kind", "format"), [("audio/wav", "wav"), ("audio/mp3", "mp3")])
async def test_an_openai_compatible_server_is_given_input_audio_beside_photos(kind: str, format: str) -> None:
    async with Server(openai.play) as server:
        providers.configure(of_openai(server, OPENAI_SOUNDS="no-done", OPENAI_IMAGES="1"))
        assert (await ask(None, contents=question(PHOTO, sound(kind)))).text == openai.TEXT
        photo, heard, text = server.requests[-1].json()["messages"][-1]["content"]
        assert heard == {"type": "input_audio", "input_audio": {"data": DATA, "format": format}}
        assert (photo["type"], text["type"]) == ("image_url", "text")


@pytest.mark.parametrize(
    ("setting", "heard"), [(None, ()), ("0", ()), ("1", HEARD), ("other, no-done", HEARD), ("other", ())]
)
async def test_which_models_hear_is_a_setting(setting: str | None, heard: tuple[str, ...]) -> None:
    async with Server(openai.play) as server:
        providers.configure(of_openai(server, **({"OPENAI_SOUNDS": setting} if setting else {})))
        assert providers.models()[0].sounds == heard


async def test_a_server_s_own_list_says_who_hears_unless_the_setting_does() -> None:
    listed = {"data": [{"id": "a", "architecture": {"input_modalities": ["text", "audio"]}}, {"id": "b"}]}

    async def play(request: Any, reply: Any) -> None:
        await reply.whole(200, listed)

    async with Server(play) as server:
        for setting, heard in (({}, [HEARD, ()]), ({"OPENAI_SOUNDS": "b"}, [(), HEARD])):
            given = of_openai(server, **setting)
            del given["WONDERCAM_MODELS"]
            providers.configure(given)
            await providers.discover()
            assert [model.sounds for model in providers.models()] == heard
            await providers.close()


def test_of_openai_s_own_models_those_hear_whose_name_says_audio() -> None:
    names = "openai/gpt-4o-audio-preview,openai/gpt-5"
    providers.configure({"OPENAI_API_KEY": "k", "WONDERCAM_MODELS": names})
    assert [(model.images, model.sounds) for model in providers.models()] == [(True, HEARD), (True, ())]


async def test_who_cannot_hear_is_not_asked_and_the_sentence_names_who_can() -> None:
    async with Server(openai.play) as server:
        both = "openai/no-done,openai/hello"
        providers.configure(of_openai(server, WONDERCAM_MODELS=both, OPENAI_SOUNDS="hello"))
        refused = (await ask("openai/no-done", contents=question(sound()))).error
        assert isinstance(refused, errors.InvalidArgument)
        assert str(refused) == "openai/no-done cannot hear sounds. openai/hello can: choose it and send again."
        assert not server.requests


@pytest.mark.parametrize(("part", "able"), [(sound(), "OPENAI_SOUNDS"), (PHOTO, "OPENAI_IMAGES")])
async def test_who_stands_in_for_a_model_takes_what_that_was_given(part: dict[str, Any], able: str) -> None:
    """Down the line of fallbacks, who cannot hear or see it is passed over."""
    async with Server(openai.failing_then(1, openai.play)) as server:
        names = "openai/hello,openai/no-reason,openai/no-done"
        line = "openai/hello=openai/no-reason,openai/no-reason=openai/no-done"
        given = {"WONDERCAM_MODELS": names, "WONDERCAM_FALLBACKS": line, "WONDERCAM_OCR": "0", able: "hello,no-done"}
        providers.configure(of_openai(server, **given))
        outcome = await ask("openai/hello", contents=question(part))
        assert (outcome.text, outcome.error) == (openai.TEXT, None)
        assert [request.json()["model"] for request in server.requests] == ["hello", "no-done"]


async def test_where_nobody_else_hears_the_first_model_s_failure_is_told() -> None:
    async with Server(openai.failing_then(9, openai.play)) as server:
        names = "openai/hello,openai/no-done"
        given = {"WONDERCAM_MODELS": names, "WONDERCAM_FALLBACKS": "openai/hello=openai/no-done"}
        providers.configure(of_openai(server, **given, OPENAI_SOUNDS="hello"))
        outcome = await ask("openai/hello", contents=question(sound()))
        assert isinstance(outcome.error, errors.Unavailable)
        assert outcome.notices == []
        assert [request.json()["model"] for request in server.requests] == ["hello"]


async def test_earlier_sounds_become_words_for_whom_they_are_not() -> None:
    async with Server(openai.play) as server:
        providers.configure(of_openai(server, OPENAI_SOUNDS="1"))
        earlier = [*question(sound("audio/flac"), sound()), {"role": "model", "parts": [{"text": "Hello."}]}]
        assert (await ask(None, contents=[*earlier, *question()])).error is None
        unheard, heard, _ = server.requests[-1].json()["messages"][0]["content"]
        assert unheard == {"type": "text", "text": "[a sound that you cannot hear]"}
        assert heard["type"] == "input_audio"


@pytest.mark.parametrize(("kind", "letters"), [("audio/wav", 42_667), ("audio/ogg", 2_700), ("audio/mp3", 10_667)])
def test_the_tokens_of_a_sound_are_guessed_by_its_length_on_the_safe_side(kind: str, letters: int) -> None:
    """32 a second at Gemini, for WAV of 16 kHz, Opus of 16 kbit/s and MP3 of 64 kbit/s."""
    minute = {"inlineData": {"mimeType": kind, "data": "A" * letters * 60}}
    assert 32 * 60 <= media_tokens(minute) <= 5 * 32 * 60
