"""Runs a gate: measures base and head in turns, and judges the difference."""

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from harness.errors import EchobenchError, JournalError
from harness.specs.trial import TrialStatus
from harness.support.atomic_write import write_whole
from harness.verdicts.policy import Outcome
from reports.compare.comparable import differing, same_subject
from reports.gating.decision import Decision, alarms, decide
from reports.gating.deterministic import ExactFinding, judge_exact
from reports.gating.measure import ShortRun, ShortRunError, measure_once
from reports.gating.plan import Gated, Plan
from reports.gating.schedule import Arm, turns
from reports.gating.worktrees import Tree

MAX_VOID = 6
"""Maximum number of repeated runs, whose trials were void since the machine was too busy."""


@dataclass(frozen=True)
class TimedFinding:
    """The outcome of a timed figure."""

    name: str
    metric: str
    decision: Decision
    outcome: Outcome
    control_alarms: bool
    reason: str = ""


@dataclass
class GateResult:
    """A gate's result."""

    outcome: Outcome
    reason: str
    base: str
    head: str
    machine: str = ""
    load_1min: float = 0.0
    """The system's load average of the last minute when the gate ended."""
    pairs: int = 0
    runs: int = 0
    took_s: float = 0.0
    timed: list[TimedFinding] = field(default_factory=list)
    exact: list[ExactFinding] = field(default_factory=list)
    control: str = "off"
    """"quiet", "alarm", or "off"."""
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """By arm and name: for each pair, the median of its repeats."""


class Gate:
    """Measures base and head in turns until the outcome is clear.

    Args:
        base: The revision to compare with.
        head: The revision to judge.
        plan: The figures to compare.
        arguments: Pytest options that select one trial.
        control: Whether base is also measured a second time, as if it were a head.
        longest_s: Time after which no further pair begins.
        note: Called with lines of progress.
    """

    def __init__(
        self,
        base: Tree,
        head: Tree,
        plan: Plan,
        arguments: list[str],
        *,
        control: bool,
        longest_s: float,
        note: Callable[[str], None],
    ) -> None:
        self._trees = {Arm.BASE: base, Arm.HEAD: head, Arm.CONTROL: base}
        self._plan, self._arguments, self._note = plan, arguments, note
        self._arms = [arm for arm in Arm if control or arm is not Arm.CONTROL]
        self._longest_s, self._begun_s = longest_s, time.monotonic()
        self._runs: dict[Arm, list[ShortRun]] = {arm: [] for arm in self._arms}
        self._voids = 0
        self.result = GateResult(Outcome.INVALID, "", base.commit, head.commit)
        self.result.figures = {str(arm): {} for arm in self._arms}

    def run(self) -> GateResult:
        """Measure and judge; a failure to measure is part of the result."""
        try:
            for arm in (Arm.BASE, Arm.HEAD):
                self._measure(arm)  # warms up, and shows whether they are comparable
            self._require_comparable()
            self._runs = {arm: [] for arm in self._arms}
            self._judge(self._pairs())
        except CannotJudgeError as error:
            self.result.outcome, self.result.reason = error.outcome, error.problem
        self.result.took_s = round(time.monotonic() - self._begun_s, 1)
        self.result.load_1min = round(psutil.getloadavg()[0], 2)
        return self.result

    def _pairs(self) -> Iterable[int]:
        for pair in range(self._plan.rule.pairs[-1]):
            if time.monotonic() - self._begun_s > self._longest_s:
                return
            for arm in turns(pair, self._plan.repeats, Arm.CONTROL in self._arms):
                self._measure(arm)
            self._keep_medians()
            self._tell(pair + 1)
            yield pair + 1

    def _judge(self, pairs: Iterable[int]) -> None:
        for pair in pairs:
            self.result.pairs = pair
            if pair in self._plan.rule.pairs:
                self._look()
                if self.result.outcome is not Outcome.INCONCLUSIVE:
                    return
        if self.result.pairs < self._plan.rule.pairs[-1]:
            self.result.outcome, self.result.reason = Outcome.INCONCLUSIVE, "no pair was measured"
            if self.result.pairs:
                self._look()
            self.result.reason = f"stopped after {self._longest_s / 60:g} min; {self.result.reason}"

    def _look(self) -> None:
        """Judge all figures by the pairs measured so far."""
        result, runs = self.result, self._runs
        result.timed = [self._timed(name, gated) for name, gated in self._plan.timed.items()
                        if self._has(name)]  # fmt: skip
        result.exact = [
            judge_exact(
                name,
                [run.values[name] for run in runs[Arm.BASE]],
                [run.values[name] for run in runs[Arm.HEAD]],
                gated.better == "lower",
                self._plan.tolerance,
            )
            for name, gated in self._plan.exact.items()
            if self._has(name)
        ]
        if Arm.CONTROL in self._arms:
            alarmed = [each.name for each in result.timed if each.control_alarms]
            result.control = "alarm" if alarmed else "quiet"
            if alarmed:
                result.outcome = Outcome.INVALID
                result.reason = (
                    f"base differs from itself in {', '.join(alarmed)}: this machine is currently"
                    " too unstable for a gate"
                )
                return
        result.outcome, result.reason = overall_outcome(result.timed, result.exact)

    def _timed(self, name: str, gated: Gated) -> TimedFinding:
        figures = self.result.figures
        sides = {arm: [gated.cost_of(value) for value in figures[str(arm)][name]]
                 for arm in self._arms}  # fmt: skip
        pairs = list(zip(sides[Arm.BASE], sides[Arm.HEAD], strict=True))
        decision = decide(pairs, self._plan.rule)
        alarmed = Arm.CONTROL in sides and alarms(
            list(zip(sides[Arm.BASE], sides[Arm.CONTROL], strict=True)), self._plan.rule
        )
        outcome = decision.outcome or Outcome.INCONCLUSIVE
        return TimedFinding(name, gated.metric, decision, outcome, alarmed)

    def _has(self, name: str) -> bool:
        """Return whether all runs have a figure; raises if only some have it."""
        missing = {
            (arm, run.absent[name])
            for arm in (Arm.BASE, Arm.HEAD)
            for run in self._runs[arm]
            if name in run.absent
        }
        runs = len(self._runs[Arm.BASE]) + len(self._runs[Arm.HEAD])
        lacking = sum(name in run.absent for arm in (Arm.BASE, Arm.HEAD) for run in self._runs[arm])
        if 0 < lacking < runs:
            arm, why = min(missing)
            raise CannotJudgeError(Outcome.INCONCLUSIVE, f"{arm} has no figure for {name}: {why}")
        return not lacking

    def _keep_medians(self) -> None:
        for arm in self._arms:
            latest = self._runs[arm][-self._plan.repeats :]
            for name in self._plan.gated:
                values = [run.values[name] for run in latest if name in run.values]
                if values:
                    kept = self.result.figures[str(arm)].setdefault(name, [])
                    kept.append(statistics.median(values))

    def _measure(self, arm: Arm) -> None:
        while True:
            try:
                with tempfile.TemporaryDirectory(prefix="echobench-run-") as runs:
                    run = measure_once(
                        self._trees[arm], self._arguments, Path(runs), self._plan.gated
                    )
            except ShortRunError as error:
                self._count_failed(arm, error)
            else:
                self._runs[arm].append(run)
                self.result.runs += 1
                return

    def _count_failed(self, arm: Arm, error: ShortRunError) -> None:
        if error.status is TrialStatus.VOID and self._voids < MAX_VOID:
            self._voids += 1
            self._note(f"{arm}: repeated, since {error.problem}")
            return
        faulty = error.status not in (None, TrialStatus.VOID, TrialStatus.HARNESS_ERROR)
        outcome = Outcome.FAIL if faulty and arm is Arm.HEAD else Outcome.INVALID
        raise CannotJudgeError(outcome, f"{arm}, {error}") from error

    def _require_comparable(self) -> None:
        base, head = self._runs[Arm.BASE][0], self._runs[Arm.HEAD][0]
        self.result.machine = str(head.info.machine)
        for what, one, other in differing(base.info, head.info):
            problem = f"can't be compared: {what}: {one!r} and {other!r}"
            raise CannotJudgeError(Outcome.INVALID, problem)
        if not same_subject(base.spec, head.spec) or base.spec.clock != head.spec.clock:
            problem = "can't be compared: the options select different trials in the revisions"
            raise CannotJudgeError(Outcome.INVALID, problem)

    def _tell(self, pair: int) -> None:
        parts = []
        for name, gated in self._plan.timed.items():
            sides = [self.result.figures[arm].get(name) for arm in (Arm.BASE, Arm.HEAD)]
            if sides[0] and sides[1]:
                base, head = (gated.cost_of(side[-1]) for side in sides if side)
                parts.append(f"{name} x {head / base:.3f}" if base and math.isfinite(head) else "")
        self._note(f"pair {pair}: {', '.join(filter(None, parts))}")


class CannotJudgeError(EchobenchError):
    """Two revisions can't be compared; `outcome` is the gate's outcome for that reason."""

    def __init__(self, outcome: Outcome, problem: str) -> None:
        super().__init__("gate", problem)
        self.outcome = outcome


def overall_outcome(timed: list[TimedFinding], exact: list[ExactFinding]) -> tuple[Outcome, str]:
    """Return the outcome of all figures, and its reason."""
    failed = [f"{each.name} costs x {each.decision.ratio:.3g}" for each in timed
              if each.outcome is Outcome.FAIL]  # fmt: skip
    failed += [f"{each.metric} is worse in every run" for each in exact
               if each.outcome is Outcome.FAIL]  # fmt: skip
    if failed:
        return Outcome.FAIL, "; ".join(failed)
    unclear = [each.name for each in timed if each.outcome is Outcome.INCONCLUSIVE]
    if unclear:
        return Outcome.INCONCLUSIVE, f"a cost is neither proven nor ruled out: {', '.join(unclear)}"
    if not (timed or exact):
        return Outcome.INVALID, "neither revision has any of the figures"
    return Outcome.PASS, "no figure costs more than allowed"


def write_result(path: Path, result: GateResult) -> None:
    """Write a result as JSON.

    Raises:
        JournalError: The file can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(str(path.parent), f"can't be made ({error.strerror})") from error
    write_whole(path, msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
