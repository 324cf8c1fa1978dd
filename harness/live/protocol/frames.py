r"""Format of an audio frame: a header of 16 bytes, and 16-bit mono PCM at 16 kHz.

    byte  0      version, 1
          1      source: 0 mic, 1 system
          2-3    0
          4-7    sequence number of this source's frames, from 0
          8-15   time of the last sample, a float of seconds on the sender's own steady clock
          16-    PCM

All numbers are little-endian. A gap in the sequence means that frames were lost before they were
sent; the times tell how much audio that was.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

from harness.audio import BYTES_PER_SAMPLE, Pcm16
from harness.contract import AudioSource
from harness.live.protocol.close_codes import Close, RefusalError

HEADER = struct.Struct("<BBHId")
VERSION = 1
SOURCES = (AudioSource.MIC, AudioSource.SYSTEM)
"""The sources, by their number in the header."""
MAX_SEQUENCE = 1 << 32


@dataclass(frozen=True)
class Frame:
    """A run of one source's samples, as sent over the WebSocket."""

    source: AudioSource
    sequence: int
    captured_s: float
    pcm: Pcm16


def pack(source: AudioSource, sequence: int, captured_s: float, pcm: Pcm16) -> bytes:
    """Encode a frame.

    >>> frame = pack(AudioSource.SYSTEM, 3, 12.5, np.array([1, -1], np.int16))
    >>> len(frame), unpack(frame).captured_s
    (20, 12.5)
    """
    header = HEADER.pack(VERSION, SOURCES.index(source), 0, sequence % MAX_SEQUENCE, captured_s)
    return header + pcm.astype("<i2", copy=False).tobytes()


def unpack(message: bytes) -> Frame:
    """Decode a frame.

    Raises:
        RefusalError: It is too short or of another version, its source or time is invalid, or it
            holds half a sample.
    """
    if len(message) < HEADER.size + BYTES_PER_SAMPLE:
        problem = f"a frame of {len(message)} bytes"
        raise RefusalError(Close.BAD_MESSAGE, problem, f"{HEADER.size} bytes of header, and PCM")
    version, source, _, sequence, captured_s = HEADER.unpack_from(message)
    if version != VERSION:
        raise RefusalError(Close.BAD_MESSAGE, f"a frame of version {version}", str(VERSION))
    if source >= len(SOURCES):
        allowed = ", ".join(f"{number} {name}" for number, name in enumerate(SOURCES))
        raise RefusalError(Close.UNKNOWN, f"audio of source number {source}", allowed)
    if not math.isfinite(captured_s):
        raise RefusalError(Close.BAD_MESSAGE, f"a frame captured at {captured_s} s", "a time")
    size = len(message) - HEADER.size
    if size % BYTES_PER_SAMPLE:
        raise RefusalError(Close.BAD_MESSAGE, f"{size} bytes of PCM", "whole 16-bit samples")
    pcm = np.frombuffer(message, "<i2", offset=HEADER.size)
    return Frame(SOURCES[source], sequence, captured_s, pcm)
