"""Clients that misbehave: a clear code and message each, others unaffected, text so far kept."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from harness.contract import ASRSegment
from harness.live.protocol.close_codes import Close
from harness.live.protocol.frames import HEADER, pack
from harness.live.protocol.messages import Failed, Final, Metrics, Warned
from harness.live.server.limits import LiveLimits
from harness.live.server.provider_slots import ProviderSlot
from harness.specs.trial import TrialStatus
from tests.ladder.numbers import Numbers
from tests.live.rig import (
    MIC,
    SYSTEM,
    Client,
    Rig,
    client,
    finals_of,
    kept,
    run,
    seat_of,
    serving,
    until_free,
)

PCM = np.full(1600, 7, np.int16)
Offence = Callable[[Client], Awaitable[object]]


async def first_message(app: Client, message: str | bytes) -> tuple[int, str]:
    await app.connection.send(message)
    return await app.closed()


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (b"\x00" * 3200, "3200 bytes as the first message"),
        ("", "JSON"),
        ("hello", "'hello'"),
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ('{"type": "stop"}', "Invalid value 'stop'"),
        ('{"type": "end", "source": "mic"}', "end as the first message"),
        ('{"type": "start"}', "missing required field"),
        ('{"type": "start", "protocol": 2, "sources": ["mic"]}', "Invalid enum value 2"),
        ('{"type": "start", "protocol": 1, "sources": []}', "length >= 1"),
        ('{"type": "start", "protocol": 1, "sources": ["mic", "mic"]}', "each only once"),
        ('{"type": "start", "protocol": 1, "sources": ["desk"]}', "Invalid enum value 'desk'"),
        ('{"type": "start", "protocol": 1, "sources": ["mic"], "hz": 8000}', "unknown field `hz`"),
        ('{"type": "start", "protocol": 1, "sources": ["mic"], "session": "../x"}', "regex"),
        ('{"type": "start", "protocol": 1, "sources": ["mic"], "chunk_seconds": 1e9}', "<= 30"),
        ('"' + "x" * 70_000 + '"', "70002 characters"),
        ("[" * 60_000, "expected `object`"),
        ('{"type": "start", "session": ' + "[" * 60_000, "got `array`"),
    ],
    ids=range(18),
)  # fmt: skip
def test_a_wrong_first_message(message: str | bytes, problem: str) -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            code, reason = await first_message(app, message)
            assert code == Close.BAD_MESSAGE
            (told,) = app.of(Failed)
            assert told.code == code
            assert problem.lower() in told.message.lower()
            assert "allowed: " in told.message
            assert reason
            assert rig.live.sessions == {}

    run(session())


async def twice(app: Client) -> None:
    await app.send(PCM, sequence=3, captured_s=1.0)


async def too_late(app: Client) -> None:
    await app.send(PCM, sequence=40, captured_s=1e9)


async def odd_size(app: Client) -> None:
    await app.connection.send(pack(MIC, 30, 1.0, PCM) + b"\x00")


async def only_a_header(app: Client) -> None:
    await app.connection.send(pack(MIC, 30, 1.0, PCM)[: HEADER.size])


async def nothing(app: Client) -> None:
    await app.connection.send(b"")


async def another_version(app: Client) -> None:
    await app.connection.send(b"\x02" + pack(MIC, 30, 1.0, PCM)[1:])


async def no_time(app: Client) -> None:
    await app.send(PCM, captured_s=float("nan"))


async def unknown_source(app: Client) -> None:
    frame = bytearray(pack(MIC, 30, 1.0, PCM))
    frame[1] = 7
    await app.connection.send(bytes(frame))


async def undeclared_source(app: Client) -> None:
    await app.send(PCM, SYSTEM)


async def end_of_an_undeclared_source(app: Client) -> None:
    await app.say(type="end", source="system")


async def text_for_binary(app: Client) -> None:
    await app.connection.send("AAAA" * 100)


async def base64_in_json(app: Client) -> None:
    await app.say(type="audio", source="mic", data="AAAA")


async def started_again(app: Client) -> None:
    await app.say(type="start", protocol=1, sources=["mic"])


async def flood_of_audio(app: Client) -> None:
    second = np.zeros(16_000, np.int16)
    for _ in range(40):
        await app.send(second)


async def flood_of_messages(app: Client) -> None:
    tiny = np.zeros(1, np.int16)
    for _ in range(400):
        await app.send(tiny)


async def a_hundred_megabytes(app: Client) -> None:
    """The length is told in front, so it needn't be sent to be refused."""
    header = b"\x82\xff" + (100_000_000).to_bytes(8, "big") + b"mask"
    app.connection.transport.write(header + bytes(1000))


async def far_too_long_a_gap(app: Client) -> None:
    await app.send(PCM, sequence=5000)


OFFENCES: list[tuple[Offence, Close, str]] = [
    (twice, Close.OUT_OF_ORDER, "mic frame 3 where 30 is due"),
    (too_late, Close.OUT_OF_ORDER, "lost frames of mic"),
    (odd_size, Close.BAD_MESSAGE, "3201 bytes of PCM"),
    (only_a_header, Close.BAD_MESSAGE, "a frame of 16 bytes"),
    (nothing, Close.BAD_MESSAGE, "a frame of 0 bytes"),
    (another_version, Close.BAD_MESSAGE, "a frame of version 2"),
    (no_time, Close.BAD_MESSAGE, "captured at nan s"),
    (unknown_source, Close.UNKNOWN, "audio of source number 7"),
    (undeclared_source, Close.UNKNOWN, "audio of system; allowed: mic"),
    (end_of_an_undeclared_source, Close.UNKNOWN, "the end of system; allowed: mic"),
    (text_for_binary, Close.BAD_MESSAGE, "AAAAAAAA"),
    (base64_in_json, Close.BAD_MESSAGE, "Invalid value 'audio'"),
    (started_again, Close.BAD_MESSAGE, "start in the middle of a session"),
    (flood_of_audio, Close.FLOOD, "audio of mic comes too fast"),
    (flood_of_messages, Close.FLOOD, "messages come too fast"),
    (a_hundred_megabytes, Close.TOO_BIG, "exceeds limit of 1048576"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("offend", "code", "problem"), OFFENCES, ids=[offence[0].__name__ for offence in OFFENCES]
)
def test_an_offence_ends_its_own_connection_and_nothing_else(
    offend: Offence, code: Close, problem: str, tmp_path: Path
) -> None:
    limits = LiveLimits(messages_burst=200, messages_per_s=100)

    async def session() -> None:
        async with (
            serving(slots=2, limits=limits, keep=tmp_path) as rig,
            client(rig) as healthy,
            client(rig) as offender,
        ):
            await healthy.start(session="healthy")
            await healthy.count_to(5)
            await offender.start(session="offender")
            await offender.count_to(6)
            with contextlib.suppress(ConnectionClosed):  # before all of it was sent
                await offend(offender)
            closed, reason = await offender.closed()
            assert closed == code
            told = [each.message for each in offender.of(Failed)] or [reason]
            assert problem in told[0]
            await healthy.count_to(9, first=6)
            await healthy.say(type="end", source="mic")
            assert (await healthy.closed())[0] == Close.DONE
            assert healthy.numbers() == list(range(1, 10))
            await until_free(rig)

    run(session())
    assert finals_of(kept(tmp_path / "offender.jsonl"))[:6] == [1, 2, 3, 4, 5, 6]


def test_a_short_gap_is_told_and_silence_stands_for_it() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            await app.start()
            await app.send(PCM, sequence=0, captured_s=10.1)
            await app.send(PCM, sequence=6, captured_s=10.7)  # five frames are missing
            warned = await app.until(Warned)
            assert warned.message == ("5 frames of mic were lost and replaced by 0.50 s of silence")
            await app.send(PCM, sequence=7, captured_s=10.8)
            metrics = await app.until(Metrics, lambda m: m.sources[MIC].lost_s > 0)
            assert metrics.sources[MIC].lost_s == pytest.approx(0.5)
            assert metrics.sources[MIC].received_s == pytest.approx(0.8)
            await app.say(type="end", source="mic")
            await app.closed()
            assert app.of(Final)[-1].t1 == pytest.approx(0.8)

    run(session())


def test_the_sequence_may_go_round() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            await app.start()
            last = (1 << 32) - 1
            intake = rig.live.sessions["session-1"].intakes[MIC]
            intake._sequence = last
            for sequence in (last, 0, 1):
                await app.send(PCM, sequence=sequence)
            await app.say(type="end", source="mic")
            assert (await app.closed())[0] == Close.DONE
            assert app.of(Warned) == []
            assert intake.received == 3 * len(PCM)

    run(session())


@pytest.mark.slow
def test_audio_before_ready_and_after_the_end_is_refused() -> None:
    class SlowToLoad(Numbers):
        def interrupt(self, stop: bool) -> None:
            if not stop and self.sessions > 1:
                time.sleep(0.2)

    async def session() -> None:
        async with serving(lambda: seat_of(first=SlowToLoad())) as rig:
            async with client(rig) as app:
                await app.say(type="start", protocol=1, sources=["mic"])
                await app.send(PCM)
                code, _ = await app.closed()
                assert code == Close.BAD_MESSAGE
                assert "audio before the session is ready" in app.of(Failed)[0].message
            await until_free(rig)
            async with client(rig) as app:
                await app.start(MIC, SYSTEM)
                await app.send(PCM)
                await app.say(type="end", source="mic")
                await app.send(PCM)
                code, _ = await app.closed()
                assert code == Close.BAD_MESSAGE
                assert "audio of mic after its end" in app.of(Failed)[0].message

    run(session())


def test_a_second_client_for_a_session_is_sent_away() -> None:
    async def session() -> None:
        async with serving(slots=2) as rig, client(rig) as one, client(rig) as other:
            await one.start(session="talk")
            await one.count_to(3)
            await other.say(type="start", protocol=1, sources=["mic"], session="talk")
            assert (await other.closed())[0] == Close.SESSION_TAKEN
            assert "another client sends to talk" in other.of(Failed)[0].message
            await one.count_to(6, first=4)
            await one.say(type="end", source="mic")
            await one.closed()
            assert one.numbers() == [1, 2, 3, 4, 5, 6]

    run(session())


def test_more_sessions_than_there_are_seats_are_sent_away() -> None:
    async def session() -> None:
        async with serving(slots=1) as rig, client(rig) as one, client(rig) as other:
            await one.start()
            await other.say(type="start", protocol=1, sources=["mic"])
            assert (await other.closed())[0] == Close.FULL
            assert "all 1 sessions are taken" in other.of(Failed)[0].message
            await one.count_to(4)
            await one.say(type="end", source="mic")
            await one.closed()
            assert one.numbers() == [1, 2, 3, 4]

    run(session())


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


def test_onlookers_may_not_send() -> None:
    async def session() -> None:
        async with serving() as rig, client(rig) as app:
            await app.start(session="talk")
            for message, problem in (
                (pack(MIC, 0, 1.0, PCM), "audio from a watcher"),
                ('{"type": "end", "source": "mic"}', "end from a watcher"),
            ):
                async with client(rig) as onlooker:
                    await onlooker.say(type="watch")
                    await onlooker.connection.send(message)
                    assert (await onlooker.closed())[0] == Close.BAD_MESSAGE
                    assert problem in onlooker.of(Failed)[0].message
            async with client(rig) as onlooker:
                await onlooker.say(type="watch", session="another")
                assert (await onlooker.closed())[0] == Close.UNKNOWN
                assert "no session another; allowed: talk" in onlooker.of(Failed)[0].message

    run(session())


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
