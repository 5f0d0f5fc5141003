"""The configured models, and the errors of invalid settings."""

import ssl
from pathlib import Path

import pytest

from chat.protocol import errors
from chat.providers.local.slots import Slots
from tests.catalogue import providers
from tests.fakes import gemini
from tests.fakes.server import Server
from tests.unit.providers.conftest import ONCE, ask

KEYS = {"GEMINI_API_KEY": "AIza-secret", "VERTEX_PROJECT": "p", "OPENAI_API_KEY": "sk-secret"}


def ids(**settings: str) -> list[str]:
    """The catalogue for these settings."""
    providers.configure(settings)
    return [model.id for model in providers.models()]


def test_with_nothing_configured_the_embedded_model_answers() -> None:
    assert ids() == ["local/smollm2-135m"]


def test_what_is_configured_takes_its_place() -> None:
    assert ids(GEMINI_API_KEY="k", VERTEX_PROJECT="p") == ["vertex/gemini-3.5-flash", "gemini/gemini-flash-latest"]


def test_named_models_come_in_their_order_and_the_first_is_the_default() -> None:
    names = "openai/org/some-model, local/smollm2-135m,gemini/x"
    assert ids(WONDERCAM_MODELS=names, **KEYS) == ["openai/org/some-model", "local/smollm2-135m", "gemini/x"]
    assert providers.find(None)[1].id == "openai/org/some-model"
    assert providers.find("gemini/x")[0].name == "gemini"


def test_an_unknown_model_is_not_found_and_the_sentence_lists_what_there_is() -> None:
    ids(WONDERCAM_MODELS="gemini/x", GEMINI_API_KEY="k")
    with pytest.raises(errors.NotFound, match="gemini/x"):
        providers.find("gemini/y")


WRONG = [
    ({"WONDERCAM_MODELS": "gemini/x"}, "WONDERCAM_MODELS"),
    ({"WONDERCAM_MODELS": "nobody/x"}, "WONDERCAM_MODELS"),
    ({"WONDERCAM_MODELS": "local/another"}, "WONDERCAM_MODELS"),
    ({"WONDERCAM_MODELS": "recording/missing"}, "WONDERCAM_RECORDINGS"),
    ({"WONDERCAM_RECORDINGS": "/nowhere"}, "WONDERCAM_RECORDINGS"),
    ({"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDING_SPEED": "fast"}, "WONDERCAM_RECORDING_SPEED"),
    ({"WONDERCAM_FALLBACKS": "local/smollm2-135m"}, "WONDERCAM_FALLBACKS"),
    ({"WONDERCAM_FALLBACKS": "local/smollm2-135m=a/b"}, "WONDERCAM_FALLBACKS"),
    ({"WONDERCAM_LIMIT_IDLE_SECONDS": "-1"}, "WONDERCAM_LIMIT_IDLE_SECONDS"),
    ({"WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "nan"}, "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS"),
    ({"WONDERCAM_UPSTREAM_ATTEMPTS": "1.5"}, "WONDERCAM_UPSTREAM_ATTEMPTS"),
    ({"WONDERCAM_OCR": "maybe"}, "WONDERCAM_OCR"),
    ({"LOCAL_SLOTS": "0"}, "LOCAL_SLOTS"),
    ({"GEMINI_API_KEY": "a b"}, "GEMINI_API_KEY"),
    ({"GEMINI_API_KEY": "k\r\nX-Evil: 1"}, "GEMINI_API_KEY"),
    ({"GEMINI_API_KEY": "k", "GEMINI_BASE_URL": "ftp://x"}, "GEMINI_BASE_URL"),
    ({"OPENAI_BASE_URL": "https://user:pass@x/v1"}, "OPENAI_BASE_URL"),
    ({"OPENAI_BASE_URL": "http://x/v1?key=1"}, "OPENAI_BASE_URL"),
    ({"OPENAI_API_KEY": "k", "OPENAI_CONTEXT": "a=many"}, "OPENAI_CONTEXT"),
    ({"VERTEX_PROJECT": "p", "VERTEX_LOCATION": "evil.example/"}, "VERTEX_LOCATION"),
]


@pytest.mark.parametrize(("settings", "name"), WRONG)
def test_a_wrong_setting_stops_with_a_sentence_that_names_it(settings: dict[str, str], name: str) -> None:
    with pytest.raises(ValueError, match=name) as stopped:
        providers.configure(settings)
    assert "a b" not in str(stopped.value)
    assert "pass" not in str(stopped.value)


def test_no_key_is_in_what_a_provider_looks_like() -> None:
    ids(WONDERCAM_MODELS="gemini/x,openai/x,vertex/x", **KEYS)
    looks = repr([providers.find(name) for name in ("gemini/x", "openai/x", "vertex/x")])
    assert "secret" not in looks


async def test_a_certificate_that_nobody_vouches_for_is_unavailable(tmp_path: Path) -> None:
    async with Server(gemini.play, self_signed(tmp_path)) as server:
        given = {"WONDERCAM_MODELS": "gemini/hello", "GEMINI_API_KEY": "k", "GEMINI_BASE_URL": server.url}
        providers.configure({**ONCE, **given})
        outcome = await ask(None)
        assert isinstance(outcome.error, errors.Unavailable)
        assert server.requests == []


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server context with a certificate of its own making."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both = folder / "both.pem"
    both.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


async def test_slots_are_granted_in_turn_whoever_leaves() -> None:
    slots = Slots(2)
    asked = [slots.ask() for _ in range(5)]
    assert [slot.granted for slot in asked] == [True, True, False, False, False]
    asked[3].release()  # tired of waiting
    asked[0].release()
    assert [slot.granted for slot in asked] == [False, True, True, False, False]
    asked[0].release()  # twice is once
    assert [slot.granted for slot in asked] == [False, True, True, False, False]
    asked[1].release()
    assert [slot.granted for slot in asked] == [False, False, True, False, True]
    assert not slots.ask().granted
