"""Holds a live server's loaded providers, each used by one session at a time."""

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.contract import Option, SessionConfig
from harness.ladder.actions import Switch, other_member, other_provider
from harness.ladder.failover import FailoverProvider, Member
from harness.live.protocol.close_codes import Close, RefusalError
from harness.provider.attribution import provider_errors
from harness.session.session import start_session

WARM_UP = "warm-up"


@dataclass
class ProviderSlot:
    """A provider with its stand-ins, used by one session at a time.

    Attributes:
        failover: The providers, loaded.
        smaller: The member with the smaller model, if there is one.
        others: The members that take over after a crash, in order.
        settings: The first member's options.
    """

    failover: FailoverProvider
    smaller: Member | None = None
    others: Sequence[Member] = ()
    settings: Mapping[str, Option] = field(default_factory=dict)

    @property
    def first(self) -> Member:
        """The member that a session begins with."""
        return self.failover.members[0]

    def switches(self) -> dict[str, Switch]:
        """The ladder's actions that switch between the members."""
        switches: dict[str, Switch] = {}
        if self.smaller is not None:
            switches["smaller_model"] = other_member(self.failover, self.smaller)
        if self.others:
            switches["other_provider"] = other_provider(self.failover, self.others)
        return switches


class ProviderSlots:
    """All slots of a server.

    Args:
        make: Creates a slot, without loading a model.
        count: How many sessions may run at once.
    """

    def __init__(self, make: Callable[[], ProviderSlot], count: int) -> None:
        self._all = [make() for _ in range(count)]
        self._free = list(self._all)

    async def load(self) -> None:
        """Load every model, so that no client has to wait.

        Raises:
            EchobenchError: A model can't be loaded.
        """
        for slot in self._all:
            config = SessionConfig(model=slot.first.model)
            await start_session(slot.failover, WARM_UP, config, slot.first.title)
            with provider_errors(slot.first.title):
                await slot.failover.stop_session(WARM_UP)
        gc.collect()
        gc.freeze()  # models and libraries stay; scanning them took 40 ms

    def take(self) -> ProviderSlot:
        """Take a free slot.

        Raises:
            RefusalError: No slot is free.
        """
        if not self._free:
            problem = f"all {len(self._all)} sessions are taken"
            raise RefusalError(Close.FULL, problem, "a later try, or more --sessions")
        return self._free.pop()

    def give_back(self, slot: ProviderSlot) -> None:
        """Free a slot."""
        self._free.append(slot)

    async def close(self) -> None:
        """Close all providers."""
        await asyncio.gather(*(slot.failover.close() for slot in self._all))
