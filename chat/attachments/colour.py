"""Converts pictures of any colour space to sRGB, as browsers do.

A PNG can define its colours by four chunks, of which the first one applies: cICP, iCCP, sRGB, gAMA with cHRM (PNG,
third edition, 4.3). All except sRGB are converted to an ICC profile for LittleCMS. As browsers do, a profile is ignored
that is damaged or does not fit the picture's channels, and so is cHRM without gAMA.
"""

import io
import math
import struct
from collections.abc import Callable
from contextlib import suppress

from PIL import Image, ImageCms

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
Chromaticities = tuple[float, ...]
"""x and y of white, red, green and blue, in the order of cHRM."""

D65 = (0.3127, 0.3290)
BT709: Chromaticities = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""By ITU-T H.273, table 2."""
D50 = (0.96422, 1.0, 0.82521)
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
PROFILES = {"RGB": ("RGB ",), "L": ("GRAY", "RGB "), "CMYK": ("CMYK",)}
"""The colour spaces of profiles that fit a picture's mode: grey is often saved with the profile of its colour."""
DEVICES = ("mntr", "scnr", "prtr", "spac")
STEPS = 4096
SRGB_GAMMA = 0.45455
"""The gAMA of sRGB (PNG, third edition, 11.3.2.5), which browsers take for its curve if it stands alone."""
REFERENCE_WHITE = 203.0  # cd/m² of diffuse white (ITU-R BT.2408); what is brighter is shown as white


def to_srgb(photo: Image.Image, profile: bytes) -> Image.Image:
    """Convert a picture (RGB, L or CMYK, without alpha) with this ICC profile (b"": none) to RGB in sRGB."""
    converted = None
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            converted = by_profile(photo, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    return photo.convert("RGB") if converted is None else converted


def by_profile(photo: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """Convert a picture from the colours of `source` to sRGB; None if the profile does not fit it."""
    space, device = source.profile.xcolor_space, source.profile.device_class
    if space not in PROFILES.get(photo.mode, ()) or device not in DEVICES:
        return None
    given = photo if (photo.mode, space) != ("L", "RGB ") else photo.convert("RGB")
    return ImageCms.profileToProfile(given, source, ImageCms.createProfile("sRGB"), outputMode="RGB")


def profile_of_png(other: dict[bytes, bytes], embedded: bytes) -> bytes:
    """Return the ICC profile for a PNG's chunks; b"" if they define sRGB or nothing. `embedded` is that of iCCP."""
    if (code_points := other.get(b"cICP")) and (found := profile_of_code_points(code_points)) is not None:
        return found
    if b"iCCP" in other:
        return embedded
    gamma = int.from_bytes(other.get(b"gAMA", b"")) / 100_000
    if b"sRGB" in other or not 0.01 <= gamma <= 100 or (gamma == SRGB_GAMMA and b"cHRM" not in other):
        return b""
    return matrix_profile(chromaticities_of(other.get(b"cHRM", b"")), parametric(1 / gamma))


def chromaticities_of(content: bytes) -> Chromaticities:
    """Return the chromaticities of a cHRM chunk, or those of sRGB if they are invalid."""
    if len(content) != 32:
        return BT709
    found = tuple(number / 100_000 for number in struct.unpack(">8I", content))
    pairs = zip(found[::2], found[1::2], strict=True)
    if any(y <= 0 or x + y > 1 for x, y in pairs) or abs(area(found)) < 0.001:
        return BT709
    return found


def area(found: Chromaticities) -> float:
    """Return the signed area of the triangle of the three primaries; near zero if they are on a line."""
    _, _, xr, yr, xg, yg, xb, yb = found
    return ((xg - xr) * (yb - yr) - (xb - xr) * (yg - yr)) / 2


def profile_of_code_points(content: bytes) -> bytes | None:
    """Return the profile for a cICP chunk, b"" for sRGB; None unless it is RGB in full range (H.273)."""
    if len(content) != 4 or content[2:] != b"\0\1":
        return None
    primaries, curve = PRIMARIES.get(content[0]), TRANSFER.get(content[1])
    if primaries is None or curve is None:
        return None
    return b"" if primaries == BT709 and curve == SRGB_CURVE else matrix_profile(primaries, curve)


def parametric(gamma: float) -> bytes:
    """Return the curve of a power function (ICC.1:2022, 10.18, function 0)."""
    return b"para\0\0\0\0\0\0\0\0" + fixed(gamma)


def sampled(light: Callable[[float], float]) -> bytes:
    """Return the curve of any function from 0…1 to light, where 1 is white (ICC.1:2022, 10.6)."""
    values = (round(65_535 * min(1.0, max(0.0, light(step / (STEPS - 1))))) for step in range(STEPS))
    return b"curv\0\0\0\0" + struct.pack(f">I{STEPS}H", STEPS, *values)


def perceptual_quantizer(signal: float) -> float:
    """Return the light of BT.2100 PQ, where 1 is diffuse white."""
    power = signal ** (1 / 78.84375)
    return float(10_000 * (max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)) / (
        REFERENCE_WHITE
    )


def hybrid_log_gamma(signal: float) -> float:
    """Return the light of BT.2100 HLG on a screen of 1,000 cd/m², where 1 is diffuse white; for each channel."""
    scene = signal * signal / 3 if signal <= 0.5 else (math.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return float(1000 * scene**1.2) / REFERENCE_WHITE


def fixed(*numbers: float) -> bytes:
    """Numbers as s15Fixed16."""
    return struct.pack(f">{len(numbers)}i", *(round(number * 65_536) for number in numbers))


SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
TRANSFER: dict[int, bytes] = {
    **dict.fromkeys((1, 6, 13, 14, 15), SRGB_CURVE),
    4: parametric(2.2),
    5: parametric(2.8),
    8: parametric(1.0),
    16: sampled(perceptual_quantizer),
    18: sampled(hybrid_log_gamma),
}
"""By ITU-T H.273, table 3. Browsers treat the curve of television as that of sRGB."""


def matrix_profile(primaries: Chromaticities, curve: bytes) -> bytes:
    """Return a display profile (ICC.1:2022, 8.3) with three primaries, and the same curve for all."""
    columns = tuple(zip(*to_d50(primaries), strict=True))
    xyz = [b"XYZ \0\0\0\0" + fixed(*values) for values in (D50, *columns)]
    tags = [*zip((b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ"), xyz, strict=True)]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags:
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = at + len(body)
    head = struct.pack(">I4xI4s4s4s12x4s28x", size, 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp") + fixed(*D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def to_d50(primaries: Chromaticities) -> Matrix:
    """Return the matrix from linear RGB to XYZ, adapted to D50 (Bradford)."""
    white, *colours = (xyz(*primaries[at : at + 2]) for at in range(0, 8, 2))
    plain = transposed((colours[0], colours[1], colours[2]))
    amounts = applied(inverse(plain), white)
    to_xyz = transposed(
        tuple(tuple(value * amount for value in colour) for colour, amount in zip(colours, amounts, strict=True))  # type: ignore[arg-type]
    )
    now, then = applied(BRADFORD, white), applied(BRADFORD, D50)
    gain: Matrix = ((then[0] / now[0], 0, 0), (0, then[1] / now[1], 0), (0, 0, then[2] / now[2]))
    return times(times(times(inverse(BRADFORD), gain), BRADFORD), to_xyz)


def xyz(x: float, y: float) -> tuple[float, float, float]:
    """Return the XYZ of a chromaticity at Y = 1."""
    return x / y, 1.0, (1 - x - y) / y


def transposed(matrix: Matrix) -> Matrix:
    """Return the transposed matrix."""
    return tuple(zip(*matrix, strict=True))  # type: ignore[return-value]


def applied(matrix: Matrix, vector: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the product of matrix and vector."""
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)  # type: ignore[return-value]


def times(left: Matrix, right: Matrix) -> Matrix:
    """Return the product of two matrices."""
    return transposed(tuple(applied(left, column) for column in transposed(right)))  # type: ignore[arg-type]


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse, by cofactors. The matrix must have one."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return (
        ((e * i - f * h) / det, (c * h - b * i) / det, (b * f - c * e) / det),
        ((f * g - d * i) / det, (a * i - c * g) / det, (c * d - a * f) / det),
        ((d * h - e * g) / det, (b * g - a * h) / det, (a * e - b * d) / det),
    )
