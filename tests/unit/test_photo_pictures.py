"""Stored photos look as in a browser: greys, colours and orientation."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from chat.attachments import colour, exif, inline, jpeg, picture
from chat.protocol.errors import ApiError, InvalidArgument, TooLarge, UnsupportedMediaType

pytestmark = pytest.mark.slow
BOUNDS = picture.Bounds(200_000_000, 512 * 2**20)
SIZE = (96, 64)
P3: colour.Chromaticities = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
P3_TO_SRGB = ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979))  # CSS Color 4, linear light
TURNED = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}
"""Where the file's upper left corner is seen, by orientation: (right, bottom)."""


def seen(data: bytes, bounds: picture.Bounds = BOUNDS) -> Image.Image:
    """The kept photo."""
    kept, width, height = picture.reencode(picture.source_of(data, bounds))
    photo = Image.open(io.BytesIO(kept))
    assert photo.size == (width, height)
    return photo


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def shade(data: bytes, at: tuple[int, int] = (32, 32)) -> tuple[int, ...]:
    pixel = seen(data).getpixel(at)
    assert isinstance(pixel, tuple)
    return pixel


def close(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 4) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(depth: int, kind: int, row: bytes, *between: bytes, size: tuple[int, int] = SIZE) -> bytes:
    """A PNG whose rows are all the same, with other chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + row) * size[1]))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + pixels + chunk(b"IEND", b"")


def noise(size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A picture without a flat place."""
    return Image.merge("RGB", [Image.effect_noise(size, 90) for _ in range(3)])


def srgb_light(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def srgb_signal(light: float) -> int:
    light = min(1.0, max(0.0, light))
    return round(255 * (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))


def p3_in_srgb(pixel: tuple[int, ...]) -> tuple[int, ...]:
    lights = [srgb_light(value / 255) for value in pixel]
    return tuple(srgb_signal(sum(a * b for a, b in zip(row, lights, strict=True))) for row in P3_TO_SRGB)


P3_PROFILE = colour.matrix_profile(P3, colour.SRGB_CURVE)


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
        ((p3,), wide),
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


def tiff(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, kind, 1, orientation, 0, 0)


def marked() -> Image.Image:
    """Red in its upper left corner."""
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).rectangle((0, 0, 31, 31), fill="red")
    return image


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
