"""Samples a running session once per second and detects a stuck provider."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec

from harness.clock import longest_stall_s, now_s
from harness.contract import ASRProvider
from harness.errors import StalledError
from harness.journal.events import Event, Sampled
from harness.meters.audit_hook import AUDIT_HOOK
from harness.meters.meters import Meters
from harness.provider.attribution import provider_errors
from harness.provider.output_checks import checked_health
from harness.session.chunk_queue import ChunkQueue

EVERY_S = 1.0
OnStalled = Callable[[StalledError], Awaitable[None]]


async def end_session(error: StalledError) -> None:
    """End the session: no provider takes over from the stuck one."""
    raise error


class Watchdog:
    """Samples a session once per second.

    Args:
        provider: The provider, with its session started.
        queues: The queues of its sources.
        origin_s: The trial's zero on the running clock.
        emit: Takes the samples.
        answer_s: A provider that has audio and doesn't react for so long is stuck.
        on_stalled: Called for a stuck provider; raises unless another one takes over.
        meters: The meters of the process and the machine.
    """

    def __init__(
        self,
        provider: ASRProvider,
        queues: Sequence[ChunkQueue],
        origin_s: float,
        emit: Callable[[Event], None],
        answer_s: float,
        on_stalled: OnStalled,
        meters: Meters,
    ) -> None:
        self._provider, self._queues = provider, queues
        self._origin_s, self._emit, self._answer_s = origin_s, emit, answer_s
        self._on_stalled = on_stalled
        self._meters = meters

    async def run(self) -> None:
        """Sample every second, until cancelled.

        Raises:
            StalledError: A source's provider is stuck.
        """
        while True:
            for queue in self._queues:
                if queue.stuck_for_s() > self._answer_s:
                    where = f"{self._provider.name}, source {queue.source}"
                    problem = f"nothing moved for {self._answer_s:g} s with audio at hand"
                    await self._on_stalled(StalledError(where, problem))
                    for each in self._queues:
                        each.provider_changed()
            await self.sample()
            await asyncio.sleep(EVERY_S)

    async def sample(self, *, last: bool = False) -> None:
        """Take one sample; the meters read the system in a thread.

        Args:
            last: Whether it is the last sample, which always includes the machine.
        """
        read = partial(self._meters.read, last=last)
        loop = asyncio.get_running_loop()
        usage, machine = await loop.run_in_executor(self._meters.thread, read)
        if machine is not None:
            self._emit(msgspec.structs.replace(machine, at_s=now_s() - self._origin_s))
        with provider_errors(self._provider.name):
            health = await self._provider.health()
        health = checked_health(health, self._provider.name)
        self._emit(
            Sampled(
                at_s=now_s() - self._origin_s,
                health=health,
                handed_over={queue.source: queue.handed_over for queue in self._queues},
                cpu_s=usage.cpu_s,
                rss_bytes=usage.rss_bytes,
                threads=usage.threads,
                open_files=usage.open_files,
                uss_bytes=usage.uss_bytes,
                detached=usage.detached,
                detached_cpu_s=usage.detached_cpu_s,
                stall_s=longest_stall_s(),
                side_effects=AUDIT_HOOK.side_effects(),
            )
        )
