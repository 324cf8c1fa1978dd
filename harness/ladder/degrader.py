"""Drives a session's ladder: observes its load once per second and runs the levels' actions."""

import asyncio
from collections.abc import Callable, Mapping

from harness.clock import now_s
from harness.errors import EchobenchError
from harness.journal.events import Event, LadderMoved
from harness.ladder.actions import Switch
from harness.ladder.load_meter import LoadMeter
from harness.ladder.state_machine import LadderConfig, Level, Move, State, crashed, observed, reset

EVERY_S = 1.0


class Degrader:
    """Drives the ladder of one session.

    Args:
        rules: The ladder.
        switches: The actions by name; one that is missing is reported as not in use.
        emit: Takes the events.
        origin_s: The session's zero on the running clock.
        meter: Measures the session's load from the same events.
    """

    def __init__(
        self,
        rules: LadderConfig,
        switches: Mapping[str, Switch],
        emit: Callable[[Event], None],
        origin_s: float,
        meter: LoadMeter,
    ) -> None:
        self.state = State()
        self.meter = meter
        self._rules, self._switches, self._emit = rules, switches, emit
        self._origin_s = origin_s
        self._done: list[tuple[Level, str]] = []
        self._lock = asyncio.Lock()

    @property
    def level(self) -> Level:
        """The session's present level."""
        return self.state.level

    async def run(self) -> None:
        """Observe the load every second, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Observe the load once, and run the actions of a move that follows."""
        async with self._lock:
            at_s = self._at_s()
            rtf = self.meter.rtf(at_s)
            if rtf is not None:
                self.state, move = observed(self._rules, self.state, at_s, rtf)
                await self._act(move, rtf)

    async def provider_failed(self, error: EchobenchError) -> None:
        """Take a crash of the provider into account."""
        async with self._lock:
            at_s = self._at_s()
            self.state, move = crashed(self._rules, self.state, at_s, str(error))
            await self._act(move, self.meter.rtf(at_s))

    async def reset(self, reason: str) -> bool:
        """Go back to normal on a user's request; False where the level is normal already."""
        async with self._lock:
            at_s = self._at_s()
            self.state, move = reset(self._rules, self.state, at_s, reason)
            await self._act(move, self.meter.rtf(at_s))
            return move is not None

    async def _act(self, move: Move | None, rtf: float | None) -> None:
        if move is None:
            return
        begun_s = now_s()
        if move.after > move.before or move.after is Level.FAILOVER:
            outcomes = [await self._do(move.after, name) for name in self._actions(move.after)]
        else:
            above = [done for done in self._done if done[0] > move.after]
            outcomes = [await self._undo(*done) for done in reversed(above)]
        self.meter.restart(now_s() - self._origin_s)
        self._emit(
            LadderMoved(
                at_s=move.at_s,
                before=move.before.word,
                after=move.after.word,
                cause=move.cause,
                rtf=rtf,
                message=self._message(move),
                actions=tuple(outcomes),
                took_s=now_s() - begun_s,
            )
        )

    def _message(self, move: Move) -> str:
        going_up = move.after >= move.before
        step = self._rules.step(move.after if going_up else move.before)
        assert step is not None
        return step.message if going_up else step.relief

    def _actions(self, level: Level) -> tuple[str, ...]:
        step = self._rules.step(level)
        return step.actions if step else ()

    async def _do(self, level: Level, name: str) -> str:
        outcome = await self._switch(name, on=True)
        if (level, name) not in self._done:
            self._done.append((level, name))
        return outcome

    async def _undo(self, level: Level, name: str) -> str:
        self._done.remove((level, name))
        return await self._switch(name, on=False)

    async def _switch(self, name: str, *, on: bool) -> str:
        """Do or undo an action; a failure is reported, and the session continues unchanged."""
        switch = self._switches.get(name)
        if switch is None:
            return f"{name}: not in use here"
        try:
            return f"{name}: {await switch(on)}"
        except EchobenchError as error:
            return f"{name}: failed ({error})"

    def _at_s(self) -> float:
        return now_s() - self._origin_s
