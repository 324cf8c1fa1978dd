"""Sends files or the microphone to a live server in real time, and shows the captions."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr

from harness.audio import SAMPLE_RATE_HZ, Pcm16, read_audio, to_pcm16
from harness.clock import now_s
from harness.contract import AudioSource
from harness.errors import UsageError
from harness.live.client.client import LiveClient, connected
from harness.live.client.microphone import microphone
from harness.live.protocol.messages import FromServer, Ready

SOURCES = (AudioSource.MIC, AudioSource.SYSTEM)


@dataclass(frozen=True)
class Sending:
    """The options of `live send`."""

    url: str
    token: str | None
    session: str | None
    chunk_seconds: float | None
    files: tuple[Path, ...]
    """None for the microphone; the first file is source mic, the second one system."""
    split: bool
    """Whether the two channels of a single file are the two sources."""


def tracks_of(sending: Sending) -> dict[AudioSource, Pcm16]:
    """Read the files to send, by source; none for the microphone.

    Raises:
        AudioError: A file can't be read.
        UsageError: There are too many files, or the channels aren't two.
    """
    if len(sending.files) > len(SOURCES):
        raise UsageError("live send", f"{len(sending.files)} files", "one or two")
    if sending.split:
        if len(sending.files) != 1:
            raise UsageError("--split", f"{len(sending.files)} files", "one file of two channels")
        return dict(zip(SOURCES, read_channels(sending.files[0]), strict=True))
    return dict(zip(SOURCES, map(read_audio, sending.files), strict=False))


def read_channels(path: Path) -> list[Pcm16]:
    """Read a file's two channels as two recordings.

    Raises:
        AudioError: The file can't be read.
        UsageError: It doesn't have two channels.
    """
    read_audio(path, duration_s=0.1)  # raises a clear error for a bad file
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    if samples.shape[1] != len(SOURCES):
        raise UsageError("--split", f"{path} has {samples.shape[1]} channels", "2")
    resampled = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
    return [to_pcm16(np.ascontiguousarray(channel), str(path)) for channel in resampled.T]


async def send(sending: Sending, show: Callable[[FromServer], None]) -> None:
    """Send until the end or until cancelled, and show messages to the last final.

    Raises:
        EchobenchError: A file can't be read, or the server failed or refused.
    """
    tracks = tracks_of(sending)
    if tracks:
        await _send(sending, [*tracks], partial(_play_files, tracks), show)
        return
    async with microphone() as blocks:
        await _send(sending, [AudioSource.MIC], partial(_send_blocks, blocks), show)


async def _send(
    sending: Sending,
    sources: Sequence[AudioSource],
    play: Callable[[LiveClient], Coroutine[None, None, None]],
    show: Callable[[FromServer], None],
) -> None:
    async with connected(sending.url, sending.token) as client:
        await client.start(sources, sending.session, sending.chunk_seconds)
        playing: asyncio.Task[None] | None = None
        try:
            async for message in client.messages():
                show(message)
                if isinstance(message, Ready):
                    playing = asyncio.create_task(play(client))
                if playing is not None and playing.done():
                    playing.result()  # raises its error, such as a lost microphone
        except asyncio.CancelledError:
            await _finish(client, sources, playing, show)
            raise
        finally:
            if playing is not None:
                playing.cancel()


async def _finish(
    client: LiveClient,
    sources: Sequence[AudioSource],
    playing: asyncio.Task[None] | None,
    show: Callable[[FromServer], None],
) -> None:
    """End the sources after Ctrl-C, and show the last messages."""
    if playing is not None:
        playing.cancel()
    for source in sources:
        await client.end(source)
    async for message in client.messages():
        show(message)


async def _play_files(tracks: dict[AudioSource, Pcm16], client: LiveClient) -> None:
    begin_s = now_s()
    async with asyncio.TaskGroup() as group:
        for source, audio in tracks.items():
            group.create_task(client.play(source, audio, begin_s))


async def _send_blocks(
    blocks: AsyncIterator[tuple[float, Pcm16 | None]], client: LiveClient
) -> None:
    async for captured_s, pcm in blocks:
        if pcm is None:
            client.lost(AudioSource.MIC)
        else:
            await client.send(AudioSource.MIC, captured_s, pcm)
