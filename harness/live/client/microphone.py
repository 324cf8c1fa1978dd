"""Captures this machine's microphone with sounddevice (PortAudio), the extra `live-mic`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.errors import UnavailableError
from harness.requirements import Package

BLOCK = SAMPLE_RATE_HZ // 10
MAX_BLOCKS = 100
"""Blocks that may wait to be sent; further ones are reported as lost."""
PACKAGE = Package("sounddevice", extra="live-mic")
ALLOWED = "a microphone that the system lets this program use (macOS: Privacy & Security)"


@contextlib.asynccontextmanager
async def microphone() -> AsyncIterator[AsyncIterator[tuple[float, Pcm16 | None]]]:
    """Open the default microphone.

    Yields:
        Blocks of 0.1 s, each with the capture time of its last sample; None for a lost block.

    Raises:
        UnavailableError: The package, its library or a microphone is missing.
    """
    if (missing := PACKAGE.missing()) is not None:
        raise UnavailableError("--mic", f"lacks {missing}", PACKAGE.remedy())
    try:
        import sounddevice
    except OSError as error:  # on Linux, PortAudio is a package of the system
        allowed = "the system's package libportaudio2, or portaudio"
        raise UnavailableError("--mic", f"lacks PortAudio ({error})", allowed) from error
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[tuple[float, Pcm16 | None]] = asyncio.Queue()

    def put(captured_s: float, pcm: Pcm16) -> None:
        full = blocks.qsize() >= MAX_BLOCKS
        blocks.put_nowait((captured_s, None if full else pcm))

    def captured(data: Any, frames: int, time: Any, status: Any) -> None:
        pcm = np.frombuffer(data, np.int16).copy()  # the library reuses its buffer
        loop.call_soon_threadsafe(put, loop.time(), pcm)

    try:
        stream = sounddevice.RawInputStream(
            samplerate=SAMPLE_RATE_HZ, blocksize=BLOCK, channels=1, dtype="int16", callback=captured
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        problem = f"no microphone can be opened ({error})"
        raise UnavailableError("--mic", problem, ALLOWED) from error

    async def endless() -> AsyncIterator[tuple[float, Pcm16 | None]]:
        while True:
            yield await blocks.get()

    try:
        yield endless()
    finally:
        stream.stop()
        stream.close()
