"""The providers of a live server: loaded at the start, and lent to one session at a time."""

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.contract import Option, SessionConfig
from harness.errors import ProviderError
from harness.ladder.actions import Switch, other_member, other_provider
from harness.ladder.failover import FailoverProvider, Member
from harness.live.protocol.close_codes import Close, RefusalError
from harness.provider.attribution import provider_errors

WARM_UP = "warm-up"


@dataclass
class ProviderSlot:
    """A provider with its stand-ins, for one session at a time.

    Attributes:
        failover: The providers, loaded.
        smaller: The one with the smaller model, if there is one.
        others: The ones that take over after a crash, in order.
        settings: The options that the first one was given.
    """

    failover: FailoverProvider
    smaller: Member | None = None
    others: Sequence[Member] = ()
    settings: Mapping[str, Option] = field(default_factory=dict)

    @property
    def first(self) -> Member:
        """The one that a session begins with."""
        return self.failover.members[0]

    def switches(self) -> dict[str, Switch]:
        """What the ladder may do with it."""
        switches: dict[str, Switch] = {}
        if self.smaller is not None:
            switches["smaller_model"] = other_member(self.failover, self.smaller)
        if self.others:
            switches["other_provider"] = other_provider(self.failover, self.others)
        return switches


class ProviderSlots:
    """All seats of a server.

    Args:
        make: Makes one; loads nothing.
        count: How many sessions there may be at once.
    """

    def __init__(self, make: Callable[[], ProviderSlot], count: int) -> None:
        self._all = [make() for _ in range(count)]
        self._free = list(self._all)

    async def load(self) -> None:
        """Load every model, so that no client has to wait for it.

        Raises:
            EchobenchError: One can't be loaded.
        """
        for slot in self._all:
            config = SessionConfig(model=slot.first.model)
            with provider_errors(slot.first.title):
                if not await slot.failover.start_session(WARM_UP, config):
                    raise ProviderError(slot.first.title, "refused the first session")
                await slot.failover.stop_session(WARM_UP)
        gc.collect()
        gc.freeze()  # models and libraries stay: to look through them again took 40 ms at once

    def take(self) -> ProviderSlot:
        """Take a free seat.

        Raises:
            RefusalError: There is none.
        """
        if not self._free:
            problem = f"all {len(self._all)} sessions are taken"
            raise RefusalError(Close.FULL, problem, "another try later, or --sessions")
        return self._free.pop()

    def give_back(self, slot: ProviderSlot) -> None:
        """Let another session have it."""
        self._free.append(slot)

    async def close(self) -> None:
        """Let go of all models."""
        await asyncio.gather(*(slot.failover.close() for slot in self._all))
