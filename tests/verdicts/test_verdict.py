import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import ClockKind
from harness.metrics import Measurement
from harness.statistics import samples_needed
from harness.verdicts.limits import ChunkLimit, Limit
from harness.verdicts.policy import Outcome, Policy
from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import Verdict, VerdictLevel, judge

CHUNK_S = 2.0


def threshold(
    target: str = "< 0.5",
    minimum: str = "< 0.8",
    statistic: str = "value",
) -> Threshold:
    return Threshold(
        name="figure",
        metric="figure",
        statistic=statistic,
        target=ChunkLimit.parse(target),
        minimum=ChunkLimit.parse(minimum),
        source="test",
        scenarios=(),
        relative_to=None,
        clocks=tuple(ClockKind),
    )


def of_value(value: float, **more: object) -> Verdict:
    return judge(threshold(), Measurement(unit="s", value=value, **more), CHUNK_S)  # type: ignore[arg-type]


def of_samples(
    fine: int, beyond_target: int = 0, beyond_minimum: int = 0, statistic: str = "p95"
) -> Verdict:
    samples = (0.4,) * fine + (0.6,) * beyond_target + (math.inf,) * beyond_minimum
    return judge(threshold(statistic=statistic), Measurement(unit="s", samples=samples), CHUNK_S)


@pytest.mark.parametrize(
    ("value", "level", "reason"),
    [
        (0.4, VerdictLevel.PASS, ""),
        (math.nextafter(0.5, 0), VerdictLevel.PASS, ""),
        (0.5, VerdictLevel.WARN, "target < 0.5 missed"),
        (0.79, VerdictLevel.WARN, "target < 0.5 missed"),
        (0.8, VerdictLevel.FAIL, "minimum < 0.8 broken"),
        (math.inf, VerdictLevel.FAIL, "minimum < 0.8 broken"),
        (math.nan, VerdictLevel.FAIL, "minimum < 0.8 broken"),
        (-1.0, VerdictLevel.PASS, ""),
    ],
)
def test_a_single_value_is_judged_by_itself(value: float, level: VerdictLevel, reason: str) -> None:
    verdict = of_value(value)
    assert (verdict.level, verdict.reason) == (level, reason)
    assert (verdict.low, verdict.high) == (None, None)


@pytest.mark.parametrize(
    ("target", "minimum", "value", "level"),
    [
        ("<= 0", "< 5", 0.0, VerdictLevel.PASS), ("<= 0", "< 5", 4.0, VerdictLevel.WARN),
        ("<= 0", "< 5", 5.0, VerdictLevel.FAIL), ("<= 0", "<= 0", 1.0, VerdictLevel.FAIL),
        ("> 2", "> 1.5", 2.1, VerdictLevel.PASS), ("> 2", "> 1.5", 2.0, VerdictLevel.WARN),
        ("> 2", "> 1.5", 1.5, VerdictLevel.FAIL), (">= 2", ">= 2", 2.0, VerdictLevel.PASS),
        ("< 0.1", "< 0.1", 0.1, VerdictLevel.FAIL), ("> -1", "> -1", -1.0, VerdictLevel.FAIL),
    ],
)  # fmt: skip
def test_limits_mean_what_they_say(
    target: str, minimum: str, value: float, level: VerdictLevel
) -> None:
    verdict = judge(threshold(target, minimum), Measurement(unit="1", value=value), CHUNK_S)
    assert verdict.level is level
    assert (str(verdict.target), str(verdict.minimum)) == (target, minimum)


@pytest.mark.parametrize(
    ("bounds", "level", "words"),
    [
        ((0.3, 0.49), VerdictLevel.PASS, ""),
        ((0.3, 0.5), VerdictLevel.WARN, "target unproven: between 0.3 and 0.5"),
        ((0.3, 0.79), VerdictLevel.WARN, "target unproven"),
        ((0.5, 0.79), VerdictLevel.WARN, "target < 0.5 missed"),
        ((0.3, 0.8), VerdictLevel.INSUFFICIENT, "between 0.3 and 0.8, on either side of < 0.8"),
        ((0.79, 5.0), VerdictLevel.INSUFFICIENT, "on either side"),
        ((0.8, 5.0), VerdictLevel.FAIL, "minimum < 0.8 broken"),
    ],
)
def test_an_estimate_is_judged_by_its_bounds(
    bounds: tuple[float, float], level: VerdictLevel, words: str
) -> None:
    verdict = of_value(0.45, bounds=bounds, count=90)
    assert verdict.level is level
    assert words in verdict.reason
    assert (verdict.low, verdict.high, verdict.count) == (*bounds, 90)


@pytest.mark.parametrize(
    ("fine", "beyond_target", "beyond_minimum", "level", "words"),
    [
        (59, 0, 0, VerdictLevel.PASS, ""),
        (58, 0, 0, VerdictLevel.INSUFFICIENT, "58 samples, 0 beyond < 0.8; 59 needed"),
        (1, 0, 0, VerdictLevel.INSUFFICIENT, "59 needed"),
        (92, 1, 0, VerdictLevel.PASS, ""),
        (91, 1, 0, VerdictLevel.WARN, "target unproven: 92 samples, 1 beyond < 0.5; 93 needed"),
        (122, 2, 0, VerdictLevel.PASS, ""),
        (121, 2, 0, VerdictLevel.WARN, "123 samples, 2 beyond < 0.5; 124 needed"),
        (50, 9, 0, VerdictLevel.WARN, "target < 0.5 missed"),
        (92, 0, 1, VerdictLevel.PASS, ""),
        (91, 0, 1, VerdictLevel.INSUFFICIENT, "92 samples, 1 beyond < 0.8; 93 needed"),
        (51, 0, 9, VerdictLevel.FAIL, "minimum < 0.8 broken"),
        (0, 0, 59, VerdictLevel.FAIL, "minimum < 0.8 broken"),
    ],
)
def test_a_percentile_is_judged_at_the_exact_boundaries(
    fine: int, beyond_target: int, beyond_minimum: int, level: VerdictLevel, words: str
) -> None:
    """What was never answered is infinite, and so beyond any limit."""
    verdict = of_samples(fine, beyond_target, beyond_minimum)
    assert verdict.level is level
    assert words in verdict.reason
    assert verdict.count == fine + beyond_target + beyond_minimum


@given(st.integers(0, 400), st.integers(0, 20), st.sampled_from(["p50", "p90", "p95", "p99"]))
def test_more_good_samples_never_make_it_worse(fine: int, beyond: int, statistic: str) -> None:
    """And what is said to be needed is enough, if all that come are good."""
    if not fine + beyond:
        return
    before, after = (of_samples(fine + more, 0, beyond, statistic) for more in (0, 10))
    order = [VerdictLevel.PASS, VerdictLevel.WARN, VerdictLevel.INSUFFICIENT, VerdictLevel.FAIL]
    assert order.index(after.level) <= order.index(before.level)
    if before.level is VerdictLevel.INSUFFICIENT:
        needed = samples_needed(beyond, float(statistic[1:]) / 100)
        assert f"; {needed} needed" in before.reason
        enough = of_samples(needed - beyond, 0, beyond, statistic)
        assert enough.level is VerdictLevel.PASS


def test_the_bounds_of_a_percentile_are_those_of_its_rank() -> None:
    verdict = of_samples(100, statistic="p50")
    assert (verdict.value, verdict.low, verdict.high) == (0.4, 0.4, 0.4)
    assert of_samples(58).high == math.inf


def test_too_few_observations_are_never_a_pass() -> None:
    verdict = of_value(0.1, count=40, needed=60)
    assert verdict.level is VerdictLevel.INSUFFICIENT
    assert verdict.reason == "40 of 60 samples needed"
    assert verdict.value == 0.1


def test_what_is_absent_stays_absent_with_its_reason() -> None:
    verdict = judge(threshold(), Measurement(unit="s", absent="nothing was spoken"), CHUNK_S)
    assert verdict.level is VerdictLevel.UNAVAILABLE
    assert (verdict.reason, verdict.value, verdict.count) == ("nothing was spoken", None, None)
    assert judge(threshold(), Measurement(unit="s"), CHUNK_S).reason == "no figure"


def test_a_limit_that_grows_with_the_chunk_is_resolved_in_the_verdict() -> None:
    grows = threshold("< 2", "< max(2, 0.75 * chunk)")
    measurement = Measurement(unit="s", value=3.5)
    for chunk_s, minimum, level in ((1.0, 2, VerdictLevel.FAIL), (8.0, 6, VerdictLevel.WARN)):
        verdict = judge(grows, measurement, chunk_s)
        assert (verdict.target, verdict.minimum) == (Limit("<", 2), Limit("<", minimum))
        assert verdict.level is level
    assert judge(grows, measurement, 1.0).reason == "minimum < 2 broken"


def test_a_statistic_that_the_figure_does_not_have_is_said() -> None:
    many, one = Measurement(unit="s", samples=(0.1,) * 99), Measurement(unit="s", value=0.1)
    for statistic, measurement, words in (("value", many, "p95"), ("p95", one, "one value")):
        verdict = judge(threshold(statistic=statistic), measurement, CHUNK_S)
        assert verdict.level is VerdictLevel.UNAVAILABLE
        assert words in verdict.reason


@pytest.mark.parametrize(("value", "level"), [(0.4, "pass"), (0.6, "suspect"), (9.0, "suspect")])
def test_a_sign_with_harmless_causes_only_accuses(value: float, level: str) -> None:
    """However far beyond its limit, it is never a failure, and says what else explains it."""
    accuser = msgspec.structs.replace(threshold(), explained_by="padding")
    verdict = judge(accuser, Measurement(unit="s", value=value), CHUNK_S)
    assert verdict.level == level
    assert ("padding" in verdict.reason) == (level == "suspect")
    for policy in (Policy("minimum"), Policy("target", strict=True)):
        assert policy.outcome_of(verdict.level) in (Outcome.PASS, Outcome.WARN)


def test_levels_are_ordered_from_best_to_worst() -> None:
    assert list(VerdictLevel) == ["pass", "warn", "suspect", "insufficient", "unavailable", "fail"]
