"""Detects a photo's format by its first bytes; its name and declared type are ignored."""

from chat.protocol.errors import InvalidArgument, TooLarge, UnsupportedMediaType

JPEG, PNG, WEBP, AVIF = "JPEG", "PNG", "WEBP", "AVIF"

TAKEN = "send JPEG, PNG, WebP or AVIF."
NOT_A_PHOTO = f"This is no photo that can be used: {TAKEN}"
BRANDS_AT, BRAND_BYTES = 8, 4
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (8, b"WEBP", WEBP),
)
REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "GIF pictures cannot be used here: save it as PNG or JPEG."),
    (b"%PDF", f"A PDF is no photo: {TAKEN}"),
)


def kind_of(data: bytes) -> str:
    """Return the format. Raises UnsupportedMediaType, with a sentence for each unsupported format."""
    for at, signature, name in SIGNATURES:
        if data.startswith(signature, at):
            return name
    if data[4:8] == b"ftyp":
        return kind_by_brand(data)
    for signature, sentence in REFUSED:
        if data.startswith(signature):
            raise UnsupportedMediaType(sentence)
    if b"<svg" in data[:1024].lower():
        raise UnsupportedMediaType(f"An SVG is a program, not a photo: {TAKEN}")
    raise UnsupportedMediaType(NOT_A_PHOTO)


def kind_by_brand(data: bytes) -> str:
    """Return the format of an ISO base media file (ISO/IEC 14496-12), by its major and compatible brands."""
    size = min(int.from_bytes(data[:4]), 256)
    brands = [data[at : at + BRAND_BYTES] for at in range(BRANDS_AT, size, BRAND_BYTES)]
    if b"avis" in brands[:1]:
        raise moving()
    if b"avif" in brands:
        return AVIF
    if any(brand in HEIC_BRANDS for brand in brands):
        raise UnsupportedMediaType("HEIC photos cannot be used here: save it as JPEG.")
    raise UnsupportedMediaType(NOT_A_PHOTO)


def damaged() -> InvalidArgument:
    """Return the error for a photo with damaged data."""
    return InvalidArgument("The photo cannot be read: its data is damaged.")


def moving() -> UnsupportedMediaType:
    """Return the error for an animation."""
    return UnsupportedMediaType("Animations cannot be used: send a single photo.")


def too_many_pixels(pixels: int) -> TooLarge:
    """Return the error for a photo with more pixels than this limit."""
    return TooLarge(f"The photo has more than {pixels / 1e6:.0f} million pixels.")


def too_much_memory(width: int, height: int) -> TooLarge:
    """Return the error for a photo that would take too much memory to decode."""
    return TooLarge(
        f"A photo of {width:,} × {height:,} pixels in this format is too large: send it smaller, or as JPEG."
    )
