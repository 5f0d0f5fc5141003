"""Photos: accepted formats, removed metadata, and access."""

import base64
import io
import struct
import uuid
import zlib
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageDraw

from chat import attachments
from chat.accounts import tokens
from chat.models import Attachment, User
from chat.protocol.errors import ApiError, InvalidArgument, ResourceExhausted, TooLarge, UnsupportedMediaType

SECRET = b"GPS-52.5200-13.4050"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 32), mode: str = "RGB", **options: Any) -> bytes:
    """A photo whose left half is red."""
    image = Image.new(mode, size)
    if mode == "RGB":
        ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill="red")
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is of that size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + b"\0\0\0\x01IDATx"
    )


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access_for(user)}"}


def upload(user: User, data: bytes, name: str = "photo", filename: str = "x.jpg", mime: str = "image/jpeg") -> Any:
    return Client().post("/v2/attachments", {name: SimpleUploadedFile(filename, data, mime)}, headers=bearer(user))


def kept(user: User, data: bytes) -> Attachment:
    return async_to_sync(attachments.store)(user, data)


def opened(photo: Attachment) -> Image.Image:
    return Image.open(io.BytesIO(bytes(photo.data)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_photo_is_kept_as_a_jpeg_and_shown_to_its_owner(alice, kind):
    answer = upload(alice, picture(kind), mime="text/html", filename="../../evil.html")
    assert answer.status_code == 201
    assert (answer.json()["width"], answer.json()["height"]) == (64, 32)
    shown = Client().get(f"/v2/attachments/{answer.json()['id']}", headers=bearer(alice))
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(shown.content)).format == "JPEG"


def test_a_shown_photo_can_run_nothing(alice):
    answer = Client().get(f"/v2/attachments/{kept(alice, picture()).pk}", headers=bearer(alice))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"].startswith("private")
    assert answer.headers["Content-Disposition"] == 'inline; filename="photo.jpg"'


def test_a_photo_of_another_looks_like_none(alice):
    photo, bob = kept(alice, picture()), User.objects.create_user("bob")
    foreign = Client().get(f"/v2/attachments/{photo.pk}", headers=bearer(bob))
    unknown = Client().get(f"/v2/attachments/{uuid.uuid4()}", headers=bearer(bob))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert Client().get(f"/v2/attachments/{photo.pk}").status_code == 401


def test_nothing_but_pixels_is_left(alice):
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    data = picture(exif=exif, comment=SECRET, icc_profile=SECRET, xmp=SECRET) + b"<script>" + SECRET
    assert SECRET in data
    photo = kept(alice, data)
    assert SECRET not in bytes(photo.data)
    assert b"<script>" not in bytes(photo.data)
    assert not opened(photo).getexif()
    assert set(opened(photo).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_text_chunks_of_other_formats_go_too(alice, kind):
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    assert SECRET not in bytes(kept(alice, picture(kind, exif=exif)).data)


def test_a_photo_stands_upright(alice):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: what is left in the file is up in the world
    photo = kept(alice, picture(exif=exif, quality=95))
    assert (photo.width, photo.height) == (32, 64)
    pixel: Any = opened(photo).getpixel((16, 8))
    assert pixel[0] > 200


def test_a_large_photo_gets_smaller_and_a_transparent_one_a_white_ground(alice):
    photo = kept(alice, picture(size=(4000, 1000)))
    assert (photo.width, photo.height) == (1600, 400)
    assert opened(kept(alice, picture("PNG", mode="RGBA"))).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16", "RGBA"])
def test_every_kind_of_png_is_taken(alice, mode):
    assert kept(alice, picture("PNG", mode=mode)).width == 64


def test_a_cmyk_photo_is_taken(alice):
    assert opened(kept(alice, picture(mode="CMYK"))).mode == "RGB"


def test_the_first_picture_of_a_phones_double_photo_is_taken(alice):
    double = picture("MPO", save_all=True, append_images=[Image.new("RGB", (64, 32))])
    assert kept(alice, double).width == 64


MOVING: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (64, 32), "blue")]}
REFUSED = {
    "gif": (picture("GIF"), 415, "GIF"),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 40, 415, "HEIC"),
    "heif": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + b"\0" * 40, 415, "HEIC"),
    "no avif": (b"\0\0\0\x18ftypavif" + b"\0" * 40, 400, "damaged"),
    "film": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 40, 415, "no photo"),
    "svg": (b'<?xml version="1.0"?><svg onload="alert(1)"/>', 415, "SVG"),
    "pdf": (b"%PDF-1.7", 415, "PDF"),
    "html": (b"<html><script>alert(1)</script>", 415, "JPEG, PNG, WebP or AVIF"),
    "tiff": (picture("TIFF"), 415, "JPEG, PNG, WebP or AVIF"),
    "bmp": (picture("BMP"), 415, "JPEG, PNG, WebP or AVIF"),
    "empty": (b"", 415, "JPEG, PNG, WebP or AVIF"),
    "moving png": (picture("PNG", **MOVING), 415, "Animations"),
    "moving webp": (picture("WEBP", **MOVING), 415, "Animations"),
    "cut": (picture(size=(640, 640))[:900], 400, "damaged"),
    "cut png": (picture("PNG", (640, 640))[:200], 400, "damaged"),
    "only a signature": (b"\xff\xd8\xff", 400, "damaged"),
    "bomb": (png_claiming(60_000, 60_000), 413, "200 million pixels"),
    "much memory": (png_claiming(14_000, 14_000), 413, "14,000 × 14,000 pixels"),
    "21 MB": (b"\xff\xd8\xff" + bytes(21 * 2**20), 413, "20 MB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_usable_photo_is_refused_with_a_sentence(alice, name):
    data, status, words = REFUSED[name]
    answer = upload(alice, data)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    assert not Attachment.objects.exists()


def test_a_form_needs_exactly_one_photo(alice):
    file = {"photo": SimpleUploadedFile("a", picture()), "file": SimpleUploadedFile("b", picture())}
    for form in ({}, file, {"other": SimpleUploadedFile("c", picture())}, {"photo": "text"}):
        assert Client().post("/v2/attachments", form, headers=bearer(alice)).status_code == 400
    raw = Client().post("/v2/attachments", picture(), content_type="image/jpeg", headers=bearer(alice))
    assert raw.status_code == 415
    broken = Client().post("/v2/attachments", b"x", content_type="multipart/form-data", headers=bearer(alice))
    assert broken.status_code == 400
    assert upload(alice, picture(), "file").status_code == 201


def test_ones_room_is_bounded(alice, settings):
    settings.LIMITS = {**settings.LIMITS, "PHOTOS_USER_BYTES": 1}
    kept(alice, picture())
    with pytest.raises(ResourceExhausted):
        kept(alice, picture())


def test_a_photo_in_a_question_is_kept_the_same_way(alice):
    data = base64.b64encode(picture()).decode()
    assert async_to_sync(attachments.from_inline)(alice, "image/jpeg", data).width == 64


def test_a_photo_of_six_megabytes_is_taken(alice):
    data = picture("PNG", (1600, 1300), "RGB", compress_level=0)
    assert len(data) > 6_000_000
    assert upload(alice, data).status_code == 201
    inline = base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert async_to_sync(attachments.from_inline)(alice, "IMAGE/PNG", inline).width == 1600


@pytest.mark.parametrize(
    ("mime", "data", "error"),
    [
        ("image/jpeg", "not base64!", InvalidArgument),
        ("image/jpeg", "é", InvalidArgument),
        ("image/jpeg", base64.b64encode(b"<svg/>").decode(), UnsupportedMediaType),
        ("application/pdf", base64.b64encode(picture()).decode(), UnsupportedMediaType),
        ("image/jpeg", "A" * 28 * 2**20, TooLarge),
        ("image/jpeg", "A" * 31 * 2**20, TooLarge),
    ],
)
def test_a_wrong_photo_in_a_question_is_refused(alice, mime, data, error):
    with pytest.raises(ApiError) as refused:
        async_to_sync(attachments.from_inline)(alice, mime, data)
    assert type(refused.value) is error
