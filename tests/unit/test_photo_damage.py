"""Photos that are damaged, cut off, too large or no photos at all; and photos in base64."""

import base64
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chat.attachments import exif, inline, jpeg, picture
from chat.protocol.errors import ApiError, InvalidArgument, TooLarge, UnsupportedMediaType
from tests.pictures import (
    BOUNDS,
    SIZE,
    chunk,
    close,
    marked,
    noise,
    png,
    saved,
    seen,
    shade,
    tiff,
)

pytestmark = pytest.mark.slow


# What is missing, and what is too much


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("image", [noise(), marked().resize((640, 480))], ids=["noise", "flat"])
def test_a_jpeg_that_lacks_its_last_bytes_is_taken_and_half_of_one_is_not(image, progressive):
    whole = saved(image, "JPEG", progressive=progressive)
    for missing in (1, 2, 3, 8):
        assert seen(whole[:-missing]).size == (640, 480)
    for share in (0.3, 0.5, 0.7):
        with pytest.raises(InvalidArgument, match="damaged"):
            seen(whole[: int(len(whole) * share)])


def test_a_thumbnail_in_a_cut_photo_is_not_its_end():
    thumbnail = saved(noise((160, 120)), "JPEG")
    block = tiff(1) + thumbnail
    whole = saved(noise(), "JPEG", exif=exif.PREFIX + block)
    assert seen(whole).size == (640, 480)
    with pytest.raises(InvalidArgument):
        seen(whole[: len(whole) // 2])


def test_what_follows_a_picture_is_not_looked_at():
    whole = saved(noise(), "JPEG")
    for behind in (whole[: len(whole) // 2], b"\0" * 4096, b"<script>"):
        assert seen(whole + behind).size == (640, 480)


def test_a_png_that_lacks_only_its_end_is_taken_and_half_of_one_is_not():
    whole = saved(noise(), "PNG")
    assert seen(whole[:-12]).size == (640, 480)
    with pytest.raises(InvalidArgument):
        seen(whole[: len(whole) // 2])


def test_damage_beside_the_pixels_of_a_png_is_passed_over():
    end = chunk(b"IEND", b"")
    bomb = chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(50_000_000)))
    row = bytes((200, 40, 40)) * SIZE[0]
    for extra in (bomb, b"\0\0\0\x04tEXtabcd\0\0\0\0", chunk(b"eXIf", b"junk")):
        assert close(shade(png(8, 2, row, extra)), (200, 40, 40), 5)
    assert seen(png(8, 2, row).removesuffix(end) + bomb + end).size == SIZE


def large(width: int, height: int, kind: str = "JPEG", **options: Any) -> bytes:
    return saved(Image.linear_gradient("L").resize((width, height)).convert("RGB"), kind, **options)


@pytest.mark.parametrize(
    ("size", "options"), [((6000, 4000), {}), ((8160, 6144), {"progressive": True})], ids=["24 MP", "50 MP progressive"]
)
def test_photos_of_todays_phones_are_taken(size, options):
    assert max(seen(large(*size, **options)).size) == 1600


def test_a_panorama_is_decoded_at_a_fraction_too():
    source = picture.source_of(large(16000, 1200), BOUNDS)
    assert source.memory < 16000 * 1200
    assert picture.reencode(source)[1:] == (1600, 120)


def png_claiming(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))


def webp_claiming(width: int, height: int) -> bytes:
    body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + body


def avif_claiming(width: int, height: int) -> bytes:
    return b"\0\0\0\x14ftypavif\0\0\0\0mif1\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", width, height)


@pytest.mark.parametrize("claim", [png_claiming, webp_claiming, avif_claiming])
def test_a_picture_that_would_take_too_much_memory_is_refused_before_it_is_decoded(claim: Callable[[int, int], bytes]):
    with pytest.raises(TooLarge, match="million pixels"):
        picture.source_of(claim(16383, 16383), BOUNDS)
    with pytest.raises(TooLarge, match="11,000 × 11,000"):
        picture.source_of(claim(11000, 11000), BOUNDS)


def test_a_jpeg_of_a_thousand_scans_is_refused_before_it_is_decoded():
    scan = bytes.fromhex("ffda0008010100010000")
    whole = saved(noise((64, 64)), "JPEG", progressive=True)
    with pytest.raises(InvalidArgument):
        picture.source_of(whole[:-2] + scan * 1000 + b"\xff\xd9", BOUNDS)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_moving_pictures_are_refused(kind):
    data = saved(marked(), kind, save_all=True, append_images=[Image.new("RGB", SIZE, "blue")], duration=100)
    with pytest.raises(UnsupportedMediaType):
        picture.source_of(data, BOUNDS)


def test_one_frame_that_is_called_an_animation_is_a_photo():
    still = saved(marked(), "PNG")
    acTL = b"acTL" + struct.pack(">II", 1, 0)
    header = 8 + 25
    chunk = struct.pack(">I", 8) + acTL + struct.pack(">I", zlib.crc32(acTL))
    assert picture.reencode(picture.source_of(still[:header] + chunk + still[header:], BOUNDS))[1:] == SIZE

    def riff(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)

    size = b"".join(struct.pack("<I", side - 1)[:3] for side in SIZE)
    frame = riff(b"ANMF", bytes(6) + size + bytes(4) + saved(marked(), "WEBP", lossless=True)[12:])
    head = b"WEBP" + riff(b"VP8X", b"\x02\0\0\0" + size) + riff(b"ANIM", bytes(6))
    assert picture.reencode(picture.source_of(riff(b"RIFF", head + frame), BOUNDS))[1:] == SIZE
    with pytest.raises(UnsupportedMediaType):
        picture.source_of(riff(b"RIFF", head + frame * 2), BOUNDS)


@given(st.binary(max_size=300), st.sampled_from(["JPEG", "PNG", "WEBP", "AVIF"]), st.integers(0, 300))
def test_any_bytes_give_a_photo_or_a_refusal(junk, kind, at):
    whole = saved(marked(), kind)
    for data in (junk, whole[:at] + junk + whole[at + len(junk) :], whole[:at] + junk):
        with suppress(ApiError):
            assert seen(data).mode == "RGB"


# Base64


@pytest.mark.parametrize("raw", [b"", b"\xfb", b"\xfb\xff", b"\xfb\xff\xfe", b"\xfb\xff\xfe?>"])
def test_every_base64_of_protocol_buffers_is_read(raw):
    for text in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        for form in (text, text.rstrip("="), text[:2] + "\r\n" + text[2:], f"{text}\n"):
            assert inline.decoded(form) == raw


@pytest.mark.parametrize(
    "text", ["a", "abcde", "not base64!", "é", "=", "ab=c", "abc==", "abcd=", "AAA.", "data:image/png;base64,AAAA"]
)
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(InvalidArgument):
        inline.decoded(text)


def test_the_markers_of_a_jpeg_tell_its_end_and_its_scans():
    whole = saved(noise((64, 48)), "JPEG", progressive=True)
    found = jpeg.markers_of(whole + b"more")
    assert (found.width, found.height, found.progressive, found.ended) == (64, 48, True, True)
    assert found.bare == whole
    assert found.scans > 5
    assert not any(found.unfinished.values())


@pytest.mark.parametrize("size", [(3203, 35), (35, 4801), (6401, 9), (12_801, 3), (20_000, 1), (3201, 2401)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_of_any_size_is_taken(size: tuple[int, int], progressive: bool) -> None:
    photo = seen(saved(Image.new("RGB", size, (9, 90, 200)), "JPEG", progressive=progressive))
    assert max(photo.size) == picture.LONG_SIDE
    assert close(photo.getpixel((0, 0)), (9, 90, 200))  # type: ignore[arg-type]


def test_a_palette_that_is_missing_is_damage():
    with pytest.raises(InvalidArgument, match="damaged"):
        seen(png(8, 3, bytes(SIZE[0])))
