"""A live server in this process, over real sockets, and a client that can be made to misbehave."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.clock import now_s
from harness.contract import AudioSource
from harness.journal.events import Event, SegmentArrived
from harness.journal.journal import TrialRecord, read_journal
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.state_machine import LadderConfig, read_rules
from harness.live.protocol.frames import pack
from harness.live.protocol.messages import Final, FromServer, Ready, from_server
from harness.live.server.acceptor import PacedAcceptor, listening
from harness.live.server.admission import PATH, Admission
from harness.live.server.limits import LiveLimits
from harness.live.server.provider_slots import ProviderSlot, ProviderSlots
from harness.live.server.server import LiveServer
from harness.live.server.session import LiveSettings
from harness.live.server.session_log import SessionLog
from harness.meters.meters import Meters
from harness.provider.timeouts import Timeouts
from harness.session.settings import SessionSettings
from tests.ladder.numbers import STEP, Numbers

T = TypeVar("T")
MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM
TIMEOUTS = Timeouts(answer_s=5.0, stop_s=5.0)
PCM = np.full(1600, 7, np.int16)
SOON_S = 10.0
"""For what should come at once, on a machine with neighbours."""
M = TypeVar("M", bound=FromServer)


def seat_of(
    *others: Numbers, first: Numbers | None = None, smaller: Numbers | None = None
) -> ProviderSlot:
    """A seat of providers that say which numbers they hear."""
    member = Member(first or Numbers(cost=0.0), "first")
    small = Member(smaller, "small") if smaller else None
    rest = [Member(other, f"other-{at}") for at, other in enumerate(others)]
    failover = FailoverProvider([member, *([small] if small else []), *rest])
    return ProviderSlot(failover, small, rest)


@dataclass
class Rig:
    """What a test has of a server."""

    live: LiveServer
    admission: Admission
    acceptor: PacedAcceptor
    events: list[Event]

    @property
    def connections(self) -> int:
        """How many there are, those included that have not said what they want."""
        return len(self.acceptor.handlers)

    @property
    def url(self) -> str:
        """Where its WebSocket is."""
        return f"ws://127.0.0.1:{self.admission.port}{PATH}"


@contextlib.asynccontextmanager
async def serving(
    make: Callable[[], ProviderSlot] = seat_of,
    *,
    slots: int = 1,
    limits: LiveLimits | None = None,
    token: str | None = None,
    origins: Sequence[str] = (),
    keep: Path | None = None,
    chunk_s: float = 0.5,
    queue_s: float = 60.0,
    timeouts: Timeouts = TIMEOUTS,
    rules: LadderConfig | None = None,
) -> AsyncIterator[Rig]:
    """Serve on a free port of this machine."""
    limits = limits or LiveLimits()
    lent, session_log = ProviderSlots(make, slots), SessionLog(keep)
    session_settings = SessionSettings(chunk_s, queue_s, timeouts, meters=Meters(0.5))
    settings = LiveSettings(session_settings, rules or read_rules(), limits)
    events: list[Event] = []
    live = LiveServer(lent, settings, session_log, events.append)
    admission = Admission(limits, token, origins)
    await lent.load()
    async with listening(live, admission, limits, "127.0.0.1", 0) as acceptor:
        yield Rig(live, admission, acceptor, events)
        await live.finish(SOON_S)
    session_log.close()
    await lent.close()


@dataclass
class Client:
    """Speaks the protocol, or whatever a test wants it to say."""

    connection: ClientConnection
    inbox: list[FromServer] = field(default_factory=list)
    sequences: dict[AudioSource, "itertools.count[int]"] = field(default_factory=dict)

    async def say(self, **message: Any) -> None:
        """Send JSON."""
        await self.connection.send(msgspec.json.encode(message).decode())

    async def start(self, *sources: AudioSource, **more: Any) -> Ready:
        """Begin a session, and wait until audio may be sent."""
        await self.say(type="start", protocol=1, sources=[*sources] or [MIC], **more)
        return await self.until(Ready)

    async def send(
        self, pcm: Pcm16, source: AudioSource = MIC, sequence: int | None = None,
        captured_s: float | None = None,
    ) -> None:  # fmt: skip
        """Send a frame; numbered and timed as it should be, unless told otherwise."""
        counter = self.sequences.setdefault(source, itertools.count())
        number = next(counter) if sequence is None else sequence
        at_s = now_s() if captured_s is None else captured_s
        await self.connection.send(pack(source, number, at_s, pcm))

    async def count_to(self, last: int, source: AudioSource = MIC, first: int = 1) -> None:
        """Send audio that holds these numbers, in frames of a tenth of a second."""
        audio = np.repeat(np.arange(first, last + 1, dtype=np.int16), STEP)
        size = SAMPLE_RATE_HZ // 10
        for at in range(0, len(audio), size):
            await self.send(audio[at : at + size], source)

    async def until(self, kind: type[M], where: Callable[[M], bool] = lambda m: True) -> M:
        """Read on to a message of a kind."""
        async with asyncio.timeout(SOON_S):
            while True:
                message = from_server(await self.connection.recv())
                self.inbox.append(message)
                if isinstance(message, kind) and where(message):
                    return message

    async def closed(self) -> tuple[int, str]:
        """Read on to the end; the close code and reason."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(SOON_S):
                while True:
                    self.inbox.append(from_server(await self.connection.recv()))
        code = self.connection.close_code
        assert code is not None
        return code, self.connection.close_reason or ""

    def of(self, kind: type[M]) -> list[M]:
        """What came of a kind."""
        return [message for message in self.inbox if isinstance(message, kind)]

    def numbers(self, source: AudioSource = MIC) -> list[int]:
        """What the finals of a source say."""
        finals = [final for final in self.of(Final) if final.source is source]
        return [int(word) for final in finals for word in final.text.split()]


@contextlib.asynccontextmanager
async def client(rig: Rig, **options: Any) -> AsyncIterator[Client]:
    """Connect to a server."""
    async with connect(rig.url, compression=None, **options) as connection:
        yield Client(connection)


def kept(path: Path) -> TrialRecord:
    """The one session of a journal that a server kept."""
    (record,) = read_journal(path)
    return record


def finals_of(record: TrialRecord) -> list[int]:
    """The numbers in a session's finals."""
    finals = [event.segment.text for event in record.events
              if isinstance(event, SegmentArrived) and event.segment.is_final]  # fmt: skip
    return [int(word) for text in finals for word in text.split()]


async def until_free(rig: Rig) -> None:
    """Wait until no session is going on any more."""
    async with asyncio.timeout(SOON_S):
        while rig.live.sessions:  # noqa: ASYNC110  (nothing tells)
            await asyncio.sleep(0.01)


def run(test: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine, not for ever."""

    async def limited() -> T:
        async with asyncio.timeout(60):
            return await test

    return asyncio.run(limited())
