"""Clients that vanish or do not read, and a provider that fails: others are unaffected."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from harness.contract import ASRSegment
from harness.live.protocol.close_codes import Close
from harness.live.protocol.frames import pack
from harness.live.protocol.messages import Failed, Final, Metrics
from harness.live.server.limits import LiveLimits
from harness.live.server.provider_slots import ProviderSlot
from harness.specs.trial import TrialStatus
from tests.ladder.numbers import Numbers
from tests.live.rig import (
    MIC,
    Rig,
    client,
    finals_of,
    kept,
    run,
    seat_of,
    serving,
    until_free,
)


def test_a_provider_that_fails_is_told_with_the_text_so_far(tmp_path: Path) -> None:
    async def session() -> None:
        def make() -> ProviderSlot:
            return seat_of(first=Numbers(4, cost=0.0, fails_at=7))

        async with serving(make, keep=tmp_path) as rig, client(rig) as app:
            await app.start(session="unlucky")
            await app.count_to(9)
            code, reason = await app.closed()
            assert (code, reason) == (Close.PROVIDER_FAILED, "the provider failed")
            assert "numbers: broke down at 7" in app.of(Failed)[0].message
            assert app.numbers() == [1, 2, 3, 4]
            await until_free(rig)

    run(session())
    record = kept(tmp_path / "unlucky.jsonl")
    assert finals_of(record) == [1, 2, 3, 4]
    assert record.ended is not None
    assert record.ended.status is TrialStatus.PROVIDER_ERROR
    assert "numbers: broke down at 7" in record.ended.reason


@pytest.mark.slow
def test_a_client_that_vanishes_without_a_word_is_noticed(tmp_path: Path) -> None:
    """As when a cable is pulled: nothing arrives any more, and nothing is closed."""

    async def session() -> None:
        limits = LiveLimits(ping_s=0.3)
        async with serving(limits=limits, keep=tmp_path) as rig, raw_client(rig) as app:
            start = {"type": "start", "protocol": 1, "sources": ["mic"], "session": "gone"}
            app.send_text(json.dumps(start))
            while not rig.live.sessions or not rig.events:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            for sequence in range(10):
                pcm = np.full(8000, 1 + sequence, np.int16)
                app.send_binary(pack(MIC, sequence, 0.5 * sequence, pcm))
            await until_free(rig)  # it never answers a ping

    run(session())
    assert finals_of(kept(tmp_path / "gone.jsonl")) == list(range(1, 11))


class Raw:
    """A client that speaks to the socket by itself, and answers nothing."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        from websockets.client import ClientProtocol
        from websockets.uri import parse_uri

        self._protocol, self._writer = ClientProtocol(parse_uri("ws://127.0.0.1/live")), writer

    def begin(self) -> None:
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def receive(self, data: bytes) -> None:
        self._protocol.receive_data(data)

    def send_text(self, text: str) -> None:
        self._protocol.send_text(text.encode())
        self._flush()

    def send_binary(self, data: bytes) -> None:
        self._protocol.send_binary(data)
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._writer.write(data)


@contextlib.asynccontextmanager
async def raw_client(rig: Rig, buffer: int = 1 << 16) -> AsyncIterator[Raw]:
    """Connect; nothing is read after the handshake, and little fits into the buffer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.admission.port, limit=1024)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    app = Raw(writer)
    app.begin()
    app.receive(await reader.readuntil(b"\r\n\r\n"))
    try:
        yield app
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class Chatty(Numbers):
    """Says a book's chapter about each chunk."""

    async def transcribe_stream(
        self, pcm_stream: AsyncIterator[bytes], sample_rate: int = 16_000, source: Any = None
    ) -> AsyncIterator[ASRSegment]:
        async for segment in super().transcribe_stream(pcm_stream, sample_rate, source):
            yield msgspec.structs.replace(segment, text="long " * 18_000)


@pytest.mark.slow
def test_a_client_that_does_not_read_is_cut_off_and_harms_nobody() -> None:
    limits = LiveLimits(unread_messages=50, unread_s=0.5, audio_speed=1000.0)

    async def session() -> None:
        async with (
            serving(lambda: seat_of(first=Chatty(1, cost=0.0)), limits=limits) as rig,
            client(rig, max_size=1 << 20) as healthy,
        ):
            await healthy.start(session="talk")
            listeners = rig.live.sessions["talk"].listeners
            async with raw_client(rig, buffer=2048) as deaf:
                deaf.send_text(json.dumps({"type": "watch", "session": "talk"}))
                while len(listeners) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                for number in range(1, 300):
                    await healthy.count_to(number, first=number)
                    final = await healthy.until(Final)
                    if len(listeners) < 2:
                        break
                assert len(listeners) == 1  # it is gone, and nothing waits for it
                assert final.segment_id == number - 1
            await healthy.until(Metrics)

    run(session())
