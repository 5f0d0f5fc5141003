"""Sound files: accepted formats, length, removed metadata, and errors for others."""

import struct

import pytest

from chat.attachments import ogg, sound
from chat.protocol.errors import InvalidArgument, TooLarge, UnsupportedMediaType
from chat.protocol.prompt import SOUND_TYPES
from tests.sounds import AAC, FLAC, MP3, OPUS, SECRET, VORBIS, wav

ID3 = b"ID3\x04\0\0\0\0\0\x13" + SECRET
WAV_24 = wav(tag=1, bits=24)
FILES = {
    "wav": (wav(), "audio/wav", 0.1),
    "wav of 24 bits": (WAV_24, "audio/wav", 0.1),
    "wav of floats": (wav(tag=3, bits=32), "audio/wav", 0.1),
    "mp3": (MP3, "audio/mp3", 0.54),
    "tagged mp3": (ID3 + bytes(300) + MP3, "audio/mp3", 0.54),
    "mp3 whose last frame is cut": (MP3[:-148], "audio/mp3", 0.504),
    "aac": (AAC, "audio/aac", 0.128),
    "tagged aac": (ID3 + AAC, "audio/aac", 0.128),
    "flac": (FLAC, "audio/flac", 0.4),
    "opus": (OPUS, "audio/ogg", 0.4),
    "vorbis": (VORBIS, "audio/ogg", 0.4),
}


@pytest.mark.parametrize("name", FILES)
def test_a_sound_is_known_by_its_bytes_and_measured_and_its_file_says_nothing_else(name: str) -> None:
    data, kind, seconds = FILES[name]
    track = sound.cleaned(data, 1)
    assert (track.mime_type, round(track.seconds, 3)) == (kind, seconds)
    assert kind in SOUND_TYPES
    assert SECRET not in track.data
    assert sound.kind_of(track.data) == kind
    assert sound.cleaned(track.data, 1) == track  # what was kept can be sent again, byte for byte


@pytest.mark.parametrize("name", FILES)
def test_one_that_is_too_long_is_refused_with_how_long_it_may_be(name: str) -> None:
    with pytest.raises(TooLarge, match=r"^The sound is longer than 0 seconds\.$"):
        sound.cleaned(FILES[name][0], 0)


@pytest.mark.parametrize(
    "data",
    [wav()[:-60], wav()[:30], wav(samples=0), FLAC[:30], OPUS[:-1], VORBIS[:200], MP3[:900] + bytes(9) + b"?"],
    ids=["wav", "wav head", "wav of nothing", "flac", "opus", "vorbis", "mp3 with something else in it"],
)
def test_half_a_file_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidArgument, match=r"^The sound cannot be read: its data is damaged\.$"):
        sound.cleaned(data, 9)


def test_a_bit_that_fell_over_is_found_by_the_page_s_checksum() -> None:
    for at in range(30, len(OPUS), 97):
        broken = bytearray(OPUS)
        broken[at] ^= 4
        with pytest.raises((InvalidArgument, UnsupportedMediaType)):
            sound.cleaned(bytes(broken), 9)


@pytest.mark.parametrize(
    "data", [wav(), MP3, AAC, FLAC, OPUS, VORBIS], ids=["wav", "mp3", "aac", "flac", "opus", "vorbis"]
)
def test_a_file_that_is_cut_anywhere_is_read_or_refused(data: bytes) -> None:
    for end in range(len(data)):
        try:
            sound.cleaned(data[:end], 9)
        except (InvalidArgument, UnsupportedMediaType):
            continue


def test_a_wav_whose_size_was_not_known_yet_goes_on_to_its_end() -> None:
    head, body = wav(title=b"").split(b"data", 1)
    for size in (0x7FFFFFDB, 0xFFFFFFFF):
        endless = head + b"data" + struct.pack("<I", size) + body[4:3204]
        assert sound.cleaned(endless, 1).seconds == 0.1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "M4A and MP4 sounds cannot be used here: "),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81", "WebM sounds cannot be used here: "),
        (b"FORM\0\0\1\0AIFFCOMM", "AIFF sounds cannot be used here: "),
        (b"#!AMR\n", "AMR sounds cannot be used here: "),
        (b"MThd\0\0\0\6", "A MIDI file holds notes and no sound: "),
        (wav(tag=7, bits=8), "A WAV file with compressed samples cannot be used here: "),
        (FLAC[:21] + b"\x00" * 5 + FLAC[26:], "A FLAC file that does not say how long it is cannot be used here: "),
        (OPUS + VORBIS, "An OGG file with several streams in it cannot be used here: "),
        (b"hello", "This is no sound that can be used: "),
    ],
)
def test_what_cannot_be_used_is_called_by_its_name_with_what_can(data: bytes, said: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        sound.cleaned(data, 9)
    assert str(refused.value) == f"{said}send WAV, MP3, AAC, FLAC or OGG."


def test_an_ogg_of_something_else_is_refused() -> None:
    (first, *_) = ogg.pages_of(OPUS)
    speex = ogg.OggPage(first.flags, 0, 1, b"\x08", b"Speex   ").written(0)
    with pytest.raises(UnsupportedMediaType, match="neither Opus nor Vorbis"):
        sound.cleaned(speex, 9)


@pytest.mark.parametrize(
    "photo", [b"\xff\xd8\xff\xe0\0\x10JFIF", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ", b"GIF89a", b""]
)
def test_a_photo_is_no_sound(photo: bytes) -> None:
    assert sound.kind_of(photo) is None
