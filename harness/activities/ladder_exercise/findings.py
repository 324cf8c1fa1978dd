"""The record of a ladder exercise, as the rules read it."""

from collections.abc import Callable, Sequence

from harness.activities.ladder_exercise.exercise import Exercise, Expected
from harness.journal.events import Event, LadderMoved
from harness.ladder.state_machine import Level, read_rules
from harness.metrics import TrialLog
from harness.specs.trial import TrialSpec

PAUSE_LIMIT_S = 1.0
"""How long a change of provider may take, without the decoding."""


class Findings:
    """The record of one exercise.

    Args:
        spec: The trial.
        exercise: Its phases and expected moves.
        events: All its events, in order.
    """

    def __init__(self, spec: TrialSpec, exercise: Exercise, events: Sequence[Event]) -> None:
        self.spec, self.exercise, self.ladder = spec, exercise, read_rules()
        self.log = TrialLog(spec, events)
        self.moves = self.log.of(LadderMoved)

    def expected(self, by: str) -> list[tuple[Expected, LadderMoved | None, LadderMoved | None]]:
        """Expected moves of one kind, each with the actual move at its place and the one before."""
        actual: list[LadderMoved | None] = [*self.moves]
        actual += [None] * (len(self.exercise.expect) - len(actual))
        return [(expected, actual[at], actual[at - 1] if at else None)
                for at, expected in enumerate(self.exercise.expect)
                if expected.by == by]  # fmt: skip

    def stays(self, *levels: Level) -> list[tuple[float, float]]:
        """The intervals in which the session was on one of the levels."""
        words = {level.word for level in levels}
        ends = [*(move.at_s for move in self.moves[1:]), self.spec.scenario.duration_s]
        return [(move.at_s, end_s) for move, end_s in zip(self.moves, ends, strict=False)
                if move.after in words]  # fmt: skip

    def changes(self) -> list[LadderMoved]:
        """The moves that changed the provider while no audio was dropped."""
        emergency = Level.EMERGENCY.word
        ups = [move for move in self.moves
               if move.after in (Level.DEGRADE.word, Level.FAILOVER.word)]  # fmt: skip
        downs = [move for move in self.moves
                 if move.before == Level.DEGRADE.word and move.after != emergency]  # fmt: skip
        return [*ups, *downs]


Rule = Callable[[Findings], str | None]
"""Returns what is wrong; None when nothing is."""
