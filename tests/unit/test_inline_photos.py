"""Photos in the body of a question, with the same limits as uploads."""

import base64
import io
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from PIL import Image

from chat import limits
from chat.models import Attachment, User
from chat.protocol.errors import ResourceExhausted, TooLarge
from chat.protocol.prompt import Model
from chat.turns import media
from tests.catalogue import providers


@pytest.fixture(autouse=True)
def limits_on(settings: Any) -> Any:
    settings.LIMITS_OFF = False
    settings.LIMITS = dict(settings.LIMITS)
    yield
    async_to_sync(limits.close)()


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice")


def message(photos: int) -> list[dict[str, Any]]:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    part = {"inlineData": {"mimeType": "image/png", "data": data}}
    return [{"role": "user", "parts": [{"text": "What is this?"}, *({**part} for _ in range(photos))]}]


def stored(user: User, photos: int) -> list[dict[str, Any]]:
    seeing = Model("recording", "hello", images=True)
    return async_to_sync(media.kept)(user, message(photos), seeing, providers)


def test_they_become_stored_ones(alice):
    parts = stored(alice, 2)[0]["parts"]
    assert [list(part) for part in parts] == [["text"], ["attachment"], ["attachment"]]
    assert Attachment.objects.count() == 2


def test_each_counts_as_one_that_was_sent(alice, settings):
    settings.LIMITS["UPLOAD_USER"] = 5
    stored(alice, 3)
    async_to_sync(limits.spend)("upload", user=alice.pk)
    with pytest.raises(ResourceExhausted) as refused:
        stored(alice, 2)
    assert refused.value.retry_after == 60
    assert Attachment.objects.count() == 3  # of what is refused nothing is decoded or stored
    stored(alice, 1)


def test_a_day_has_its_limit_too(alice, settings):
    settings.LIMITS["UPLOAD_USER_DAY"] = 4
    stored(alice, 3)
    with pytest.raises(ResourceExhausted):
        stored(alice, 2)


def test_three_hundred_in_one_message_are_refused_with_how_many_may_be(alice):
    with pytest.raises(TooLarge, match="300 photos: send at most 16"):
        stored(alice, 300)
    assert not Attachment.objects.exists()


def test_one_that_is_named_by_its_id_counts_each_time(alice):
    """Else 60 KB of a question are 700 MB for the model's server."""
    parts = stored(alice, 1)[0]["parts"]
    seeing = Model("recording", "hello", images=True)
    media.checked([{"role": "user", "parts": parts[1:] * 16}], seeing, providers)
    with pytest.raises(TooLarge, match="17 photos: send at most 16"):
        media.checked([{"role": "user", "parts": parts[1:] * 17}], seeing, providers)
