"""Decompresses bodies, by their `Content-Encoding` and by their first bytes, and makes UTF-8 of UTF-16.

Memory is bounded for any input: no output piece is larger than STEP, and the total is limited by MOST_EXPANSION.
"""

import codecs
import zlib

import brotli

NOT_PACKED = {"", "identity", "none"}
GZIP, DEFLATE, BROTLI = {"gzip", "x-gzip"}, {"deflate"}, {"br"}
MAGIC = b"\x1f\x8b"
PLAIN = (b"da", b"ev", b"id", b"re", b": ", b":\n", b'{"', b"{\n", b"[{", b"[\n", b"\xef\xbb", b"<!", b"<h", b"<H")
"""The first bytes of event streams, JSON and web pages, which no compressed body has."""
MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
STEP = 64 * 1024
FREE, MOST_EXPANSION = 1024 * 1024, 200
"""The most output bytes of a body: FREE, and MOST_EXPANSION for each input byte."""


class PackedWrong(ValueError):
    """A compressed body is damaged, expands beyond the limit, or has an unsupported encoding."""


class Zlib:
    """Decompresses gzip with one or several members, and deflate with or without zlib's header."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._inflate = zlib.decompressobj(window)

    def unpack(self, piece: bytes) -> tuple[bytes, bytes]:
        """Return (at most STEP output bytes, the rest of the piece). Bytes after the last member are padding, which is
        ignored."""
        if self._inflate.eof:
            if not piece.startswith(MAGIC[: len(piece)]):
                return b"", b""
            self._inflate = zlib.decompressobj(self._window)
        try:
            found = self._inflate.decompress(piece, STEP)
        except zlib.error:
            raise PackedWrong from None
        return found, self._inflate.unconsumed_tail or self._inflate.unused_data


class Brotli:
    """Decompresses Brotli (RFC 7932)."""

    def __init__(self) -> None:
        self._inflate = brotli.Decompressor()

    def unpack(self, piece: bytes) -> tuple[bytes, bytes]:
        """Return (at most STEP output bytes, b""): the decompressor holds the rest of the piece for the next call."""
        if self._inflate.is_finished():
            return b"", b""
        try:
            found = self._inflate.process(piece, output_buffer_limit=STEP)
        except brotli.error:
            raise PackedWrong from None
        return bytes(found), b""

    @property
    def holds_more(self) -> bool:
        """Whether there is more output without further input."""
        return not self._inflate.is_finished() and not self._inflate.can_accept_more_data()


class Utf16:
    """Makes UTF-8 of UTF-16, as some programs on Windows write it."""

    def __init__(self, encoding: str) -> None:
        self._decode = codecs.getincrementaldecoder(encoding)("replace").decode

    def unpack(self, piece: bytes) -> tuple[bytes, bytes]:
        """Return (at most STEP output bytes, the rest of the piece)."""
        return self._decode(piece[: STEP // 2]).encode(), piece[STEP // 2 :]


class Unpacker:
    """Decompresses a body. Its first bytes override `Content-Encoding`, since some servers declare one and send plain
    text."""

    def __init__(self, encoding: str) -> None:
        named = [name for each in encoding.lower().split(",") if (name := each.strip()) not in NOT_PACKED]
        self._encoding = named[0] if len(named) == 1 else ",".join(named)
        self._start: bytes | None = b""
        self._format: Zlib | Brotli | Utf16 | None = None
        self._in = self._out = 0

    @property
    def is_plain(self) -> bool:
        """Whether the body has begun and is not compressed."""
        return self._start is None and self._format is None

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the decompressed pieces, each at most STEP bytes if the body is not plain. Raises PackedWrong."""
        if self._start is not None:
            piece = self._start + piece
            if len(piece) < len(MAGIC):
                self._start = piece
                return []
            self._format = self._format_of(piece)
            self._start = None
        return [piece] if self._format is None else self._unpacked(self._format, piece)

    def _format_of(self, start: bytes) -> Zlib | Brotli | Utf16 | None:
        if start.startswith(MAGIC):
            return Zlib(16 + zlib.MAX_WBITS)
        if start.startswith(MARKS):
            return Utf16("utf-16")
        if start[:1] in (b"{", b"[", b"d", b"e", b":") and start[1:2] == b"\0":
            return Utf16("utf-16-le")
        if not self._encoding or self._encoding in GZIP or start.startswith(PLAIN):
            return None
        if self._encoding in BROTLI:
            return Brotli()
        if self._encoding in DEFLATE:
            has_header = start[0] & 15 == 8 and (start[0] << 8 | start[1]) % 31 == 0
            return Zlib(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        raise PackedWrong

    def _unpacked(self, packing: Zlib | Brotli | Utf16, piece: bytes) -> list[bytes]:
        self._in += len(piece)
        found: list[bytes] = []
        while piece or (isinstance(packing, Brotli) and packing.holds_more):
            unpacked, piece = packing.unpack(piece)
            self._out += len(unpacked)
            if self._out > FREE + MOST_EXPANSION * self._in:
                raise PackedWrong
            if unpacked:
                found.append(unpacked)
        return found
