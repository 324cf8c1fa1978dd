"""Bad frames, bad messages and floods within a session: they end their own connection only."""

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from harness.live.protocol.close_codes import Close
from harness.live.protocol.frames import HEADER, pack
from harness.live.protocol.messages import Failed, Final, Metrics, Warned
from harness.live.server.limits import LiveLimits
from tests.live.rig import (
    MIC,
    PCM,
    SYSTEM,
    Client,
    client,
    finals_of,
    kept,
    run,
    serving,
    until_free,
)

Offence = Callable[[Client], Awaitable[object]]


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
