"""What the live benchmarks share: a provider that answers each chunk at once, and clients."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator

import numpy as np

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import now_s, sleep_until
from harness.contract import ASRSegment, AudioSource
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.state_machine import without_load
from harness.live.client.client import connected
from harness.live.protocol.messages import Final, Ready
from harness.live.server.acceptor import listening
from harness.live.server.admission import PATH, Admission
from harness.live.server.limits import LiveLimits
from harness.live.server.provider_slots import ProviderSlot, ProviderSlots
from harness.live.server.server import LiveServer
from harness.live.server.session import LiveSettings
from harness.live.server.session_log import SessionLog
from harness.meters.meters import Meters
from harness.provider.timeouts import Timeouts
from harness.session.settings import SessionSettings
from tests.stand_ins.null import Null

CHUNK_S = 0.1
CHUNK = round(CHUNK_S * SAMPLE_RATE_HZ)
MIC = AudioSource.MIC


class Echo(Null):
    """Says a final about each chunk as soon as it has it."""

    name = "echo"

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        session = self.open_stream(source, sample_rate)
        account = session.audio[source]
        number = 0
        try:
            async for pcm in pcm_stream:
                t0 = account.received / SAMPLE_RATE_HZ
                account.received += len(pcm) // 2
                account.decoded = account.received
                yield ASRSegment(
                    source=source, segment_id=number, revision=0, is_final=True,
                    text="some words that a person said", t0=t0,
                    t1=account.received / SAMPLE_RATE_HZ,
                )  # fmt: skip
                number += 1
        finally:
            session.streaming.discard(source)


@contextlib.asynccontextmanager
async def serving(slots: int, limits: LiveLimits) -> AsyncIterator[int]:
    """A live server of echoes; gives its port."""
    lent = ProviderSlots(lambda: ProviderSlot(FailoverProvider([Member(Echo(), "none")])), slots)
    session_settings = SessionSettings(CHUNK_S, 10.0, Timeouts(), meters=Meters(0.5))
    settings = LiveSettings(session_settings, without_load(), limits)
    await lent.load()
    live, admission = LiveServer(lent, settings, SessionLog(None)), Admission(limits, None, ())
    async with listening(live, admission, limits, "127.0.0.1", 0):
        yield admission.port
        await live.finish(5.0)
    await lent.close()


async def healthy(port: int, seconds: float, start_s: float = 0.0) -> list[float]:
    """A client that sends as a microphone does; the delay of each final."""
    delays_s: list[float] = []
    pcm = np.zeros(CHUNK, np.int16)

    async with connected(f"ws://127.0.0.1:{port}{PATH}") as client:
        await client.start([MIC])
        begin_s = 0.0

        async def play() -> None:
            for number in range(1, round(seconds / CHUNK_S) + 1):
                captured_s = begin_s + number * CHUNK_S
                await sleep_until(captured_s)
                await client.send(MIC, captured_s, pcm)
            await client.end(MIC)

        playing: asyncio.Task[None] | None = None
        async for message in client.messages():
            if isinstance(message, Ready):
                begin_s = now_s() + start_s
                playing = asyncio.create_task(play())
            elif isinstance(message, Final):
                delays_s.append(now_s() - begin_s - message.t1)
        assert playing is not None
        await playing
    return delays_s


async def hostile(port: int, seconds: float) -> int:
    """A client that does everything at once that one shouldn't; how many connections it made."""
    end_s, made = now_s() + seconds, 0
    attacks = (_flood, _big, _nonsense, _half_open, _vanish)

    async def attack(number: int) -> None:
        nonlocal made
        while now_s() < end_s:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(2.0):
                    await attacks[number % len(attacks)](port)
            made += 1
            await asyncio.sleep(0.01)

    await asyncio.gather(*(attack(number) for number in range(10)))
    return made


async def _flood(port: int) -> None:
    async with connected(f"ws://127.0.0.1:{port}{PATH}") as client:
        await client.start([MIC])
        async for message in client.messages():
            if isinstance(message, Ready):
                for _ in range(5000):
                    await client.send(MIC, now_s(), np.zeros(8000, np.int16))


async def _big(port: int) -> None:
    async with connected(f"ws://127.0.0.1:{port}{PATH}") as client:
        await client._connection.send(b"\x01" * 5_000_000)


async def _nonsense(port: int) -> None:
    async with connected(f"ws://127.0.0.1:{port}{PATH}") as client:
        await client._connection.send('{"type": "start", "protocol": 1, "sources": ["desk"]}')
        await client._connection.recv()


async def _half_open(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.5)
    writer.close()


async def _vanish(port: int) -> None:
    async with connected(f"ws://127.0.0.1:{port}{PATH}") as client:
        await client.start([MIC])
        await client._connection.recv()
        client._connection.transport.abort()


def busy(seconds: float) -> int:
    """A program that uses as much of the processor as it gets, and connects to nobody."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        sum(range(1000))
    return 0


async def crowd(port: int, clients: int, seconds: float) -> list[float]:
    """Many healthy clients; the delays of all their finals."""
    starts = [0.1 * number / clients for number in range(clients)]  # not all in the same moment
    all_s = await asyncio.gather(*(healthy(port, seconds, start_s) for start_s in starts))
    return [delay_s for delays_s in all_s for delay_s in delays_s]


if __name__ == "__main__":
    what, port, seconds, *more = sys.argv[1:]
    if what == "hostile":
        print(asyncio.run(hostile(int(port), float(seconds))))
    elif what == "busy":
        print(busy(float(seconds)))
    else:
        asyncio.run(crowd(int(port), int(more[0]), float(seconds)))
