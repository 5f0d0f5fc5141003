"""Photos in the body of a question, with the same limits as uploads."""

import base64
import io
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from PIL import Image

from chat import limits
from chat.models import Attachment, User
from chat.protocol import ids
from chat.protocol.errors import NotFound, ResourceExhausted, TooLarge
from chat.protocol.prompt import Model, Prompt
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


def kept_photo(user: User, size: int) -> dict[str, Any]:
    return Attachment.objects.create(user=user, mime_type="image/jpeg", width=1, height=1, data=bytes(size)).as_part()


def test_the_bytes_of_one_message_are_bounded(alice, settings):
    """Sixteen sounds by their ids are 160 MB, and 420 MB while they are written for the model's server."""
    settings.LIMITS["MEDIA_BYTES"] = 3_000_000
    seeing = Model("recording", "hello", images=True)
    photo = kept_photo(alice, 1_000_000)
    kept = async_to_sync(media.kept)
    kept(alice, [{"role": "user", "parts": [photo] * 3}], seeing, providers)
    with pytest.raises(TooLarge, match=r"4\.0 MB of photos and sounds: send at most 3\.0 MB at a time"):
        kept(
            alice,
            [{"role": "user", "parts": [photo, photo]}, {"role": "user", "parts": [photo] * 2}],
            seeing,
            providers,
        )
    settings.LIMITS["MEDIA_BYTES"] = 60
    with pytest.raises(TooLarge, match="of photos and sounds"):
        stored(alice, 1)
    assert Attachment.objects.count() == 1


def test_the_size_of_another_person_s_photo_is_not_told(alice, settings):
    settings.LIMITS["MEDIA_BYTES"] = 1_000
    photo = kept_photo(User.objects.create_user("bob"), 2_000)
    contents = [{"role": "user", "parts": [photo]}]
    seeing = Model("recording", "hello", images=True)
    assert async_to_sync(media.kept)(alice, contents, seeing, providers) == contents
    with pytest.raises(NotFound):
        media.claim(alice.pk, ids.new(), contents)


def test_of_a_long_chat_the_newest_photos_are_sent_again(alice, settings):
    settings.LIMITS["MEDIA_BYTES"] = 2_000_000
    other, photo = (kept_photo(alice, 1_000_000) for _ in range(2))
    contents = [{"role": "user", "parts": [{"text": "And?"}, each]} for each in (photo, other, photo)]
    prompt = async_to_sync(media.in_full)(Prompt(Model("recording", "hello", images=True), contents))
    assert [list(content["parts"][1]) for content in prompt.contents] == [["text"], ["inlineData"], ["inlineData"]]
    assert prompt.contents[0]["parts"][1]["text"] == "[a photo that is too far back to be sent again]"
