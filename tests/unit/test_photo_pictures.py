"""Stored photos look as in a browser: greys, colours and orientation."""

import struct
import zlib

import pytest
from PIL import Image, ImageDraw

from chat.attachments import colour, exif
from tests.pictures import (
    P3,
    P3_PROFILE,
    SIZE,
    TURNED,
    chunk,
    close,
    marked,
    p3_in_srgb,
    png,
    saved,
    seen,
    shade,
    srgb_signal,
    tiff,
)

pytestmark = pytest.mark.slow


# Greys


@pytest.mark.parametrize("value", [0, 46 * 257, 128 * 257, 203 * 257, 65535])
def test_sixteen_bits_of_grey_keep_their_brightness(value):
    row = struct.pack(">H", value) * SIZE[0]
    assert close(shade(png(16, 0, row)), (value // 257,) * 3, 1)


def test_sixteen_bits_of_grey_and_of_colour_keep_their_transparency():
    half = struct.pack(">HH", 30000, 0) * 48 + struct.pack(">HH", 30000, 65535) * 48
    assert close(shade(png(16, 4, half), (16, 32)), (255, 255, 255))
    assert close(shade(png(16, 4, half), (80, 32)), (117, 117, 117))
    colours = struct.pack(">HHHH", 65535, 0, 0, 32768) * SIZE[0]
    assert close(shade(png(16, 6, colours)), (255, 127, 127))


@pytest.mark.parametrize(
    ("depth", "clear", "row"), [(1, 0, b"\x00\x0f" * 6), (2, 3, b"\xff\x00" * 12), (4, 15, b"\xff\x00" * 24)]
)
def test_the_clear_grey_of_few_bits_is_counted_in_those_bits(depth, clear, row):
    photo = seen(png(depth, 0, row, chunk(b"tRNS", struct.pack(">H", clear))))
    assert photo.convert("L").getpixel((0, 0)) >= 250


def test_the_clear_grey_of_sixteen_bits_is_that_one_only():
    row = struct.pack(">H", 20000) * 48 + struct.pack(">H", 20300) * 48
    data = png(16, 0, row, chunk(b"tRNS", struct.pack(">H", 20000)))
    assert close(shade(data, (16, 32)), (255, 255, 255))
    assert close(shade(data, (80, 32)), (79, 79, 79))


def test_the_clear_colour_of_sixteen_bits_is_white():
    row = struct.pack(">HHH", 65535, 0, 65535) * 48 + struct.pack(">HHH", 0, 65535, 0) * 48
    data = png(16, 2, row, chunk(b"tRNS", struct.pack(">HHH", 65535, 0, 65535)))
    assert close(shade(data, (16, 32)), (255, 255, 255))
    assert close(shade(data, (80, 32)), (0, 255, 0))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_large_picture_of_any_kind_is_averaged_not_thinned_out(mode):
    stripes = Image.new("RGB", (4800, 300), "black")
    for x in range(0, 4800, 3):
        ImageDraw.Draw(stripes).line((x, 0, x, 300), "white")
    assert close(shade(saved(stripes.convert(mode), "PNG"), (800, 50)), (85, 85, 85), 6)


def test_black_letters_on_nothing_stand_on_white():
    letters = Image.new("RGBA", (2400, 800), (0, 0, 0, 0))
    ImageDraw.Draw(letters).rectangle((0, 0, 1199, 800), fill=(0, 0, 0, 255))
    for kind in ("PNG", "WEBP"):
        data = saved(letters, kind)
        assert close(shade(data, (200, 200)), (0, 0, 0))
        assert close(shade(data, (1400, 200)), (255, 255, 255))


# Colours

ADOBE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("pixel", [(234, 51, 35), (120, 200, 80), (255, 180, 120), (20, 90, 220), (128, 128, 128)])
def test_display_p3_is_converted_in_every_format(kind, pixel):
    data = saved(Image.new("RGB", SIZE, pixel), kind, icc_profile=P3_PROFILE, quality=95)
    assert close(shade(data), p3_in_srgb(pixel), 5)


def test_adobe_rgb_is_converted():
    profile = colour.matrix_profile(ADOBE, colour.parametric(563 / 256))
    found = shade(saved(Image.new("RGB", SIZE, (120, 200, 80)), "PNG", icc_profile=profile))
    assert close(found, (51, 201, 67), 3)  # by the matrix of Adobe RGB (1998) and its power of 563/256


def tagged(space: bytes, kind: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of these tags."""
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4xI4s4s4s12x4s28x", at + len(body), 0x02400000, kind, space, connection, b"acsp")
    return (head + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0") + table + body


WHITE_POINT = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
LINEAR_GREY = tagged(b"GRAY", b"mntr", b"XYZ ", {b"wtpt": WHITE_POINT, b"kTRC": b"curv" + bytes(8)})
INK = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
INK += bytes(range(256)) * 4 + b"".join(bytes((255 - 15 * n, 128, 128)) for n in range(16)) + bytes(range(256)) * 3
CMYK = tagged(b"CMYK", b"prtr", b"Lab ", {b"wtpt": WHITE_POINT, b"A2B0": INK})


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_grey_profile_is_for_grey_pictures(kind):
    grey = saved(Image.new("L", SIZE, 55), kind, icc_profile=LINEAR_GREY)
    assert close(shade(grey), (128, 128, 128), 3)
    red = saved(Image.new("RGB", SIZE, (200, 40, 40)), kind, icc_profile=LINEAR_GREY, quality=95)
    assert close(shade(red), (200, 40, 40), 5)


def test_a_grey_jpeg_with_the_profile_of_colours_keeps_its_greys():
    assert close(shade(saved(Image.new("L", SIZE, 90), "JPEG", icc_profile=P3_PROFILE)), (90, 90, 90), 2)


def test_inks_are_mixed_by_their_profile_and_plainly_without_one():
    cyan = Image.new("CMYK", SIZE, (255, 0, 0, 0))
    assert close(shade(saved(cyan, "JPEG")), (0, 255, 255), 4)
    assert close(shade(saved(cyan, "JPEG", icc_profile=P3_PROFILE)), (0, 255, 255), 4)
    red, green, blue = shade(saved(cyan, "JPEG", icc_profile=CMYK))
    assert abs(red - green) < 6  # that profile knows greys only
    assert abs(green - blue) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("profile", [b"no profile", P3_PROFILE[:200], b"\0" * 500], ids=["text", "cut", "zeros"])
def test_a_broken_profile_is_passed_over(kind, profile):
    data = saved(Image.new("RGB", SIZE, (200, 40, 40)), kind, icc_profile=profile, quality=95)
    assert close(shade(data), (200, 40, 40), 5)


def test_a_png_says_its_colours_in_four_ways_of_which_the_first_counts():
    row = bytes((200, 100, 50)) * SIZE[0]
    gamma = chunk(b"gAMA", struct.pack(">I", 100_000))
    p3 = chunk(b"cHRM", struct.pack(">8I", *(round(number * 100_000) for number in P3)))
    srgb, code_points = chunk(b"sRGB", b"\0"), chunk(b"cICP", bytes((12, 13, 0, 1)))
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(P3_PROFILE))
    plain, linear, wide = (
        (200, 100, 50),
        tuple(srgb_signal(n / 255) for n in (200, 100, 50)),
        p3_in_srgb((200, 100, 50)),
    )
    for chunks, wanted in (
        ((), plain),
        ((gamma,), linear),
        ((p3,), plain),
        ((p3, gamma, chunk(b"iCCP", b"x\0\0" + zlib.compress(P3_PROFILE))), wide),
        ((chunk(b"gAMA", struct.pack(">I", 45_455)),), plain),
        ((gamma, srgb), plain),
        ((gamma, profile), wide),
        ((srgb, profile), wide),
        ((gamma, srgb, code_points), wide),
        ((profile, chunk(b"cICP", bytes((1, 13, 0, 1)))), plain),
        ((code_points[:-1] + b"?",), plain),
        ((chunk(b"cICP", bytes((99, 13, 0, 1))),), plain),
        ((chunk(b"gAMA", bytes(4)),), plain),
        ((gamma, chunk(b"cHRM", bytes(32))), linear),
        ((chunk(b"iCCP", b"x\0\0broken"),), plain),
    ):
        assert close(shade(png(8, 2, row, *chunks)), wanted), chunks


@pytest.mark.parametrize(("transfer", "white"), [(16, 148), (18, 191)], ids=["PQ", "HLG"])
def test_diffuse_white_of_a_bright_picture_is_white_and_darkness_is_dark(transfer, white):
    code_points = chunk(b"cICP", bytes((9, transfer, 0, 1)))
    assert min(shade(png(8, 2, bytes((white,) * 3) * SIZE[0], code_points))) >= 248
    assert max(shade(png(8, 2, bytes(3) * SIZE[0], code_points))) <= 2


# Turned cameras


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_photo_is_upright_in_every_format(kind, orientation):
    photo = seen(saved(marked(), kind, exif=exif.PREFIX + tiff(orientation), quality=95))
    assert photo.size == (SIZE if orientation < 5 else SIZE[::-1])
    right, bottom = TURNED[orientation]
    corner = (photo.width - 17 if right else 16, photo.height - 17 if bottom else 16)
    pixel = photo.getpixel(corner)
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
    assert pixel[1] < 60


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_orders_of_bytes_are_read(order):
    assert exif.orientation_of(tiff(6, order)) == 6


@pytest.mark.parametrize(
    "block",
    [b"", b"II", tiff(9), tiff(0), tiff(6, kind=4), tiff(6)[:14], b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"],
)
def test_a_turn_that_cannot_be_read_is_none(block):
    assert exif.orientation_of(block) == 1
    assert seen(saved(marked(), "JPEG", exif=exif.PREFIX + block)).size == SIZE


def test_a_turn_in_words_for_other_programs_is_passed_over():
    words = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert seen(saved(marked(), "JPEG", xmp=words)).size == SIZE


def test_a_turn_behind_the_pixels_of_a_png_counts():
    whole = saved(marked(), "PNG")
    end = chunk(b"IEND", b"")
    assert seen(whole.removesuffix(end) + chunk(b"eXIf", tiff(6)) + end).size == SIZE[::-1]
