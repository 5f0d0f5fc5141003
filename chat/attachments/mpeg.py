"""MP3 and AAC: sequences of frames with headers (ISO/IEC 11172-3 and 13818-3, and ADTS of 13818-7).

Tags before the frames (ID3v2) and after them (ID3v1, APE, Lyrics3) are removed.
"""

from collections.abc import Callable

from chat.attachments.sound_track import DamagedSound, SoundTrack
from chat.protocol.prompt import AAC, MP3

TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")
BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the header's version: MPEG 1, 2 and 2.5."""
AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)

Frame = tuple[int, float]
"""A frame's length in bytes and in seconds; 0 bytes if there is no frame."""
NO_FRAME: Frame = (0, 0.0)


def without_tags(data: bytes) -> bytes:
    """Return the file without leading ID3v2 tags and the zeros that some programs write after them."""
    at = 0
    while data[at : at + 3] == b"ID3" and len(data) > at + 10:
        size = data[at + 6 : at + 10]
        footer = 10 if data[at + 5] & 0x10 else 0
        at += 10 + footer + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    return data[at:].lstrip(b"\0") if at else data


def track_of_mp3(data: bytes) -> SoundTrack:
    """Return the frames of an MP3 file. Raises DamagedSound."""
    return SoundTrack(MP3, *frames_of(without_tags(data), mp3_frame))


def track_of_aac(data: bytes) -> SoundTrack:
    """Return the frames of an AAC file in ADTS. Raises DamagedSound."""
    return SoundTrack(AAC, *frames_of(without_tags(data), aac_frame))


def frames_of(data: bytes, frame_at: Callable[[bytes, int], Frame]) -> tuple[float, bytes]:
    """Return (seconds, bytes) of the complete frames. Only the last one may be cut off, and only tags may follow: else
    it raises DamagedSound."""
    at, frames, seconds = 0, 0, 0.0
    while True:
        size, lasts = frame_at(data, at)
        if not size or at + size > len(data):
            break
        at, frames, seconds = at + size, frames + 1, seconds + lasts
    rest = data[at:].lstrip(b"\0")
    if frames < 2 or (rest and not size and not rest.startswith(TAGS)):
        raise DamagedSound
    return seconds, data[:at]


def mp3_frame(data: bytes, at: int) -> Frame:
    """Return the layer III frame at this offset, or NO_FRAME."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return NO_FRAME
    version, index = head[1] >> 3 & 3, head[2] >> 2 & 3
    bitrate = (BITRATES_1 if version == 3 else BITRATES_2)[head[2] >> 4] * 1000
    if version == 1 or index == 3 or not bitrate:
        return NO_FRAME
    rate, samples = MP3_RATES[version][index], 1152 if version == 3 else 576
    return samples // 8 * bitrate // rate + (head[2] >> 1 & 1), samples / rate


def aac_frame(data: bytes, at: int) -> Frame:
    """Return the ADTS frame at this offset, or NO_FRAME."""
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or (index := head[2] >> 2 & 15) >= len(AAC_RATES):
        return NO_FRAME
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (size, 1024 * ((head[6] & 3) + 1) / AAC_RATES[index]) if size >= 7 else NO_FRAME
