"""What spoils a trial: by rules on what was seen beside it, and that it is flagged, not judged."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import AudioSource
from harness.errors import UsageError
from harness.journal.events import (
    Event,
    Queued,
    SourceEnded,
    Surroundings,
    TrialEnded,
    TrialStarted,
)
from harness.journal.journal import TrialRecord
from harness.meters.environment import SurroundingsMeter, cpu_times_s, suspended_s
from harness.runner.validity import (
    VARIABLE,
    Limits,
    limits_asked_for,
    others_share,
    remarks,
    spoiled,
    throttled_share,
)
from harness.specs.trial import TrialStatus
from harness.verdicts.evaluate import evaluate
from harness.verdicts.policy import Outcome, Policy, judge_trial
from harness.verdicts.thresholds import read_thresholds
from harness.verdicts.verdict import VerdictLevel
from tests.trials import run_of, scenario_of, spec_of

LIMITS = Limits(
    suspended_s=0.5, power_may_change=False, thermal_pressure=2, throttled_share=0.05,
    others_share=0.25, busy_from=0.9, late_p99_s=0.005, late_p99_macos_s=0.010,
    late_chunk_share=0.05,
)  # fmt: skip


def seen(wall_s: float, **values: object) -> Surroundings:
    """One look at a machine of two cores, on mains, cool and idle, unless told otherwise."""
    usual: dict[str, object] = {
        "at_s": wall_s, "suspended_s": 0.0, "cores": 2, "others_cpu_s": 0.0,
        "idle_cpu_s": 2 * wall_s, "on_battery": False, "throttle_count": 0,
        "thermal_pressure": None,
    }  # fmt: skip
    return Surroundings(wall_s=wall_s, **(usual | values))  # type: ignore[arg-type]


def quiet(**last: object) -> list[Event]:
    """A minute in which nothing happens, up to the last look."""
    return [*(seen(float(second)) for second in range(60)), seen(60.0, **last)]


def test_a_quiet_machine_spoils_nothing() -> None:
    assert spoiled(quiet(), 1.0, LIMITS) == []
    assert spoiled([], 1.0, LIMITS) == []
    assert spoiled([seen(0.0)], 1.0, LIMITS) == []


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        ({"suspended_s": 30.0}, "the machine slept for 30.0 s during the trial"),
        (
            {"on_battery": True},
            "the power source changed during the trial, at last from mains to battery",
        ),
    ],
)
def test_what_happens_once_is_enough(last: dict[str, object], problem: str) -> None:
    assert spoiled(quiet(**last), 1.0, LIMITS) == [problem]


def test_battery_throughout_is_remarked_on_and_spoils_nothing() -> None:
    events = [seen(float(second), on_battery=True) for second in range(10)]
    assert spoiled(events, 1.0, LIMITS) == []
    assert remarks(events) == ["measured on battery power"]
    assert remarks(quiet()) == []
    unknown = [seen(float(second), on_battery=None) for second in range(10)]
    assert spoiled(unknown, 1.0, LIMITS) == []
    assert remarks(unknown) == []


def test_power_that_changes_twice_still_changed() -> None:
    events = [seen(float(second), on_battery=second == 5) for second in range(10)]
    (problem,) = spoiled(events, 1.0, LIMITS)
    assert "from battery to mains" in problem


@pytest.mark.parametrize(
    ("hot", "spoils"),
    [
        ({"thermal_pressure": 1}, False),
        ({"thermal_pressure": 2}, True),
        ({"thermal_pressure": 4}, True),
    ],
)
def test_heavy_thermal_pressure_spoils(hot: dict[str, object], spoils: bool) -> None:
    events = [seen(float(second), **(hot if second > 50 else {})) for second in range(61)]
    problems = spoiled(events, 1.0, LIMITS)
    assert problems == (["heat slowed the processor down for 17% of the time"] if spoils else [])


def test_throttling_counts_by_the_seconds_in_which_it_happened() -> None:
    """A counter that grows by thousands in one second is one second of throttling."""
    events = [seen(float(second), throttle_count=9000 * (second > 30)) for second in range(61)]
    assert throttled_share(events, pressure=2) == pytest.approx(1 / 60)
    assert spoiled(events, 1.0, LIMITS) == []
    rising = [seen(float(second), throttle_count=max(0, second - 50)) for second in range(61)]
    assert "17%" in spoiled(rising, 1.0, LIMITS)[0]


def test_neighbours_spoil_only_where_no_core_was_to_spare() -> None:
    crowded = [seen(float(s), others_cpu_s=1.0 * s, idle_cpu_s=0.0) for s in range(61)]
    roomy = [seen(float(s), others_cpu_s=1.0 * s, idle_cpu_s=0.5 * s) for s in range(61)]
    assert others_share(crowded, 0.9) == pytest.approx(0.5)
    assert others_share(roomy, 0.9) == 0.0
    (problem,) = spoiled(crowded, 1.0, LIMITS)
    assert problem.startswith("other programs took 50% of the machine while no core was idle")
    assert spoiled(roomy, 1.0, LIMITS) == []


@given(
    st.lists(
        st.tuples(st.floats(0.01, 5), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30
    )
)
def test_the_share_is_one_whatever_happens(steps: list[tuple[float, float, float]]) -> None:
    events, wall_s, others_s, idle_s = [seen(0.0)], 0.0, 0.0, 0.0
    for length_s, others, idle in steps:
        wall_s += length_s
        idle_s += 2 * length_s * idle
        others_s += 2 * length_s * (1 - idle) * others
        events.append(seen(wall_s, others_cpu_s=others_s, idle_cpu_s=idle_s))
    assert 0 <= others_share(events, 0.9) <= others_share(events, 0.0) <= 1 + 1e-9


@pytest.mark.slow
@pytest.mark.alone
def test_this_machine_is_seen_active() -> None:
    """A program beside us counts as another's CPU time, our own doesn't."""
    meter = SurroundingsMeter()
    process = psutil.Process()

    def own_s() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    first = meter.read(own_s())
    assert (first.wall_s, first.others_cpu_s, first.idle_cpu_s, first.suspended_s) == (0, 0, 0, 0)
    assert not meter.is_due()
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(1.0)
        while psutil.Process(neighbour.pid).cpu_times().user < 0.3:
            time.sleep(0.05)
        used_s = psutil.Process(neighbour.pid).cpu_times().user
        second = meter.read(own_s())
    finally:
        neighbour.kill()
        neighbour.wait()
    assert second.wall_s >= 1.0
    assert second.others_cpu_s >= used_s - 0.1
    assert second.cores == cpu_times_s()[0]
    whole_s = second.others_cpu_s + second.idle_cpu_s
    assert whole_s <= second.cores * second.wall_s + 0.2


def test_a_machine_that_does_not_sleep_has_not_slept() -> None:
    before_s = suspended_s()
    time.sleep(0.05)
    assert suspended_s() - before_s == pytest.approx(0.0, abs=0.01)


def test_the_limits_may_be_changed_for_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    assert limits_asked_for() == LIMITS
    monkeypatch.setenv(VARIABLE, '{"others_share": 0.5, "power_may_change": true}')
    changed = limits_asked_for()
    assert (changed.others_share, changed.power_may_change) == (0.5, True)
    assert changed.suspended_s == LIMITS.suspended_s
    for text in ('{"others_share": 2}', '{"neighbours": 1}', "[]", "{"):
        monkeypatch.setenv(VARIABLE, text)
        with pytest.raises(UsageError, match=r"ECHOBENCH_VALIDITY.*allowed: JSON"):
            limits_asked_for()


@pytest.mark.parametrize(
    ("platform", "late_s", "chunk_s", "is_late"),
    [
        ("linux", 0.004, 0.02, False), ("linux", 0.006, 0.02, True), ("linux", 0.049, 1.0, False),
        ("linux", 0.051, 1.0, True), ("darwin", 0.009, 0.02, False), ("darwin", 0.011, 0.02, True),
    ],
)  # fmt: skip
def test_audio_may_be_late_by_a_time_or_a_share_of_a_chunk(
    platform: str, late_s: float, chunk_s: float, is_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    ended = SourceEnded(
        source=AudioSource.MIC, samples=1, at_s=1.0, late_p99_s=late_s, late_max_s=late_s
    )
    assert bool(spoiled([ended], chunk_s, LIMITS)) is is_late


@pytest.mark.usefixtures("late_is_void")
def test_how_late_audio_may_be_is_data(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = SourceEnded(source=AudioSource.MIC, samples=1, at_s=1.0, late_p99_s=0.2, late_max_s=0.2)
    (problem,) = spoiled([ended], 1.0, limits_asked_for())
    assert "200 ms late (p99; 50 ms are allowed)" in problem
    monkeypatch.setenv(VARIABLE, '{"late_chunk_share": 0.3}')
    assert spoiled([ended], 1.0, limits_asked_for()) == []


def test_a_void_trial_is_flagged_and_not_judged() -> None:
    spec = spec_of("null", "none", scenario=scenario_of(6.0))
    started = TrialStarted(key=spec.key, spec=spec)
    record = TrialRecord(1, started)
    record.ended = TrialEnded(status=TrialStatus.VOID, reason="the machine slept for 30 s")
    (result,) = evaluate([record], read_thresholds()).values()
    assert judge_trial(result, Policy()).outcome is Outcome.INVALID
    assert {verdict.level for verdict in result.verdicts.values()} == {VerdictLevel.UNAVAILABLE}
    assert result.measurements == {}
    assert {verdict.reason for verdict in result.verdicts.values()} == {
        "void: the machine slept for 30 s"
    }


@pytest.mark.slow
@pytest.mark.usefixtures("stand_ins")
def test_a_trial_records_its_surroundings(small_corpus: Path, tmp_path: Path) -> None:
    (record,) = run_of([spec_of("oracle", small_corpus)], tmp_path / "journal.jsonl")
    looks = [event for event in record.events if isinstance(event, Surroundings)]
    assert len(looks) >= 2
    assert looks[0].wall_s == 0
    last_queued_s = max(event.at_s for event in record.events if isinstance(event, Queued))
    assert looks[-1].at_s >= last_queued_s
    assert looks[-1].others_cpu_s + looks[-1].idle_cpu_s > 0


@pytest.mark.slow
@pytest.mark.alone  # it leaves no core to others
@pytest.mark.usefixtures("stand_ins")
def test_a_crowded_machine_voids_a_real_trial(
    small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neighbours on every core, and a limit that forbids any: it takes no luck to see them."""
    limits = {"others_share": 0.0, "busy_from": 0.0}
    monkeypatch.setenv(VARIABLE, json.dumps(limits))
    spinning = [sys.executable, "-c", "while True: pass"]
    neighbours = [subprocess.Popen(spinning) for _ in range(os.cpu_count() or 1)]
    try:
        (record,) = run_of([spec_of("oracle", small_corpus)], tmp_path / "journal.jsonl")
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()
    assert record.ended is not None
    assert record.ended.status is TrialStatus.VOID
    assert "other programs took" in record.ended.reason
