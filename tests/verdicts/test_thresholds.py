from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import ClockKind
from harness.errors import DataFileError, UnknownNameError
from harness.metrics import METRICS
from harness.provider.registry import PROVIDERS, names
from harness.specs.scenario import all_scenarios
from harness.specs.trial import Activity, Transport, TrialSpec
from harness.support.arguments import CHUNK_SECONDS
from harness.verdicts.limits import ChunkLimit, Limit
from harness.verdicts.thresholds import FILE, read_thresholds
from tests.trials import scenario_of, spec_of

GOOD = {"metric": "rtf", "statistic": "p95", "target": "< 0.5", "minimum": "< 0.8", "source": "me"}


def spec_in(
    scenario: str, activity: Activity = Activity.SCENARIO, provider: str = "null"
) -> TrialSpec:
    named = msgspec.structs.replace(scenario_of(6.0), name=scenario)
    return spec_of(provider, "embedded", scenario=named, activity=activity)


def file_of(folder: Path, text: str) -> Path:
    path = folder / "limits.toml"
    path.write_text(text, encoding="utf-8")
    return path


def entry(**changes: object) -> str:
    def plain(value: object) -> str:
        return repr(value).replace("'", '"') if isinstance(value, str | list) else str(value)

    values = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return "[speed]\n" + "\n".join(f"{key} = {plain(value)}" for key, value in values.items())


def played(
    scenario: str,
    transport: Transport = Transport.IN_PROCESS,
    clock: ClockKind = ClockKind.VIRTUAL,
) -> TrialSpec:
    """A trial of a scenario of that name."""
    named = msgspec.structs.replace(scenario_of(6.0), name=scenario)
    spec = spec_of("p", "c", scenario=named, clock=clock)
    return msgspec.structs.replace(spec, transport=transport)


def refused(path: Path, *words: str) -> None:
    with pytest.raises((DataFileError, UnknownNameError)) as caught:
        read_thresholds(path, all_scenarios(), names(PROVIDERS))
    assert str(caught.value).startswith(str(path))
    for word in words:
        assert word in str(caught.value)


def test_a_file_is_read_as_it_says(tmp_path: Path) -> None:
    path = file_of(tmp_path, entry(scenarios=["speech_heavy"], clocks=["wall"]))
    (threshold,) = read_thresholds(path, all_scenarios()).values()
    assert (threshold.name, threshold.metric, threshold.statistic) == ("speed", "rtf", "p95")
    assert (str(threshold.target), str(threshold.minimum)) == ("< 0.5", "< 0.8")
    assert threshold.clocks == (ClockKind.WALL,)
    assert threshold.applies_to(played("speech_heavy", clock=ClockKind.WALL))
    assert not threshold.applies_to(played("another", clock=ClockKind.WALL))


def test_a_limit_does_not_apply_on_a_clock_on_which_its_figure_is_not_true(tmp_path: Path) -> None:
    (threshold,) = read_thresholds(file_of(tmp_path, entry(clocks=["wall"]))).values()
    assert threshold.applies_to(played("any", clock=ClockKind.WALL))
    assert not threshold.applies_to(played("any", clock=ClockKind.VIRTUAL))


def test_a_limit_may_be_about_one_transport(tmp_path: Path) -> None:
    path = file_of(tmp_path, entry(transports=["ws"]))
    (threshold,) = read_thresholds(path).values()
    assert threshold.applies_to(played("any", Transport.WS))
    assert not threshold.applies_to(played("any"))


def test_without_scenarios_it_applies_everywhere(tmp_path: Path) -> None:
    (threshold,) = read_thresholds(file_of(tmp_path, entry())).values()
    assert threshold.applies_to(spec_in("anything"))
    assert not threshold.applies_to(spec_in("anything", Activity.RESIDENCY))
    assert threshold.clocks == tuple(ClockKind)


def test_a_provider_may_have_limits_of_its_own(tmp_path: Path) -> None:
    path = file_of(tmp_path, entry(scenarios=["speech_heavy"], providers=["big", "bigger"]))
    (threshold,) = read_thresholds(path, all_scenarios(), ["big", "bigger", "small"]).values()
    assert threshold.applies_to(spec_in("speech_heavy", provider="big"))
    assert not threshold.applies_to(spec_in("speech_heavy", provider="small"))
    assert not threshold.applies_to(spec_in("another", provider="big"))


REQUIRED = {
    "marker_latency_p50": (2, 6), "marker_latency_p95": (4, 10), "marker_latency_p99": (6, 12),
    "finalization_delay_p50": (2.5, 6),
}  # fmt: skip
"""By threshold: the minimum up to chunks of 2 s, and the one for chunks of 8 s."""


@pytest.mark.parametrize("name", REQUIRED)
def test_limits_that_grow_with_the_chunk_keep_the_required_numbers(name: str) -> None:
    minimum = read_thresholds()[name].minimum
    short, long = REQUIRED[name]
    assert [minimum.at(chunk_s).number for chunk_s in (0.1, 0.5, 1.0, 2.0)] == [short] * 4
    assert minimum.at(8.0) == Limit("<", long)
    assert short < minimum.at(4.0).number < long


def test_the_projects_own_file_is_sound() -> None:
    thresholds = read_thresholds(FILE, all_scenarios(), names(PROVIDERS))
    assert {threshold.metric for threshold in thresholds.values()} <= set(METRICS)
    assert all(threshold.source for threshold in thresholds.values())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "rft"}, ["[speed], metric", "'rft'", "did you mean 'rtf'"]),
        ({"metric": ""}, ["[speed], metric", "word_emission_latency"]),
        ({"scenarios": ["speech_hevy"]}, ["[speed], scenarios", "did you mean 'speech_heavy'"]),
        (
            {"providers": ["voxtral_realtme"]},
            ["[speed], providers", "did you mean 'voxtral_realtime'"],
        ),
        ({"providers": "whisper_cpp"}, ["providers", "array"]),
        ({"statistic": "p0"}, ["'p0' is no percentile", "p95"]),
        ({"statistic": "p100"}, ["no percentile"]),
        ({"statistic": "pnan"}, ["no percentile"]),
        ({"statistic": "median"}, ["no percentile"]),
        ({"statistic": "95"}, ["no percentile"]),
        ({"target": "0.5"}, ["'0.5' is no limit", "< 0.5"]),
        ({"target": "< nan"}, ["no limit"]),
        ({"target": "< inf"}, ["no limit"]),
        ({"target": "<< 5"}, ["no limit"]),
        ({"target": "= 5"}, ["no limit"]),
        ({"target": ""}, ["no limit"]),
        ({"minimum": "< 0,8"}, ["no limit"]),
        ({"minimum": "< 1 + 2 * chunks"}, ["no limit", "4 + 0.75 * chunk"]),
        ({"minimum": "< max(1, 2 * chunk"}, ["no limit"]),
        ({"minimum": "< 1, 2 * chunk)"}, ["no limit"]),
        ({"minimum": "< min(1, 2 * chunk)"}, ["no limit"]),
        ({"minimum": "< chunk"}, ["no limit"]),
        ({"minimum": "< 0.1 * chunk"}, ["target < 0.5 is looser than minimum < 0.1 * chunk"]),
        ({"chunk_seconds": "<= 2"}, ["unknown field `chunk_seconds`"]),
        ({"target": 0.5}, ["`str`", "target"]),
        ({"target": None}, ["target"]),
        ({"source": None}, ["source"]),
        ({"target": "< 0.9"}, ["target < 0.9 is looser than minimum < 0.8", "stricter"]),
        ({"target": "<= 0.8"}, ["looser"]),
        ({"target": "> 0.5"}, ["looser"]),
        ({"target": "> 1", "minimum": "> 2"}, ["looser"]),
        ({"clocks": ["sundial"]}, ["sundial", "clocks"]),
        ({"clocks": []}, ["clocks"]),
        ({"target_p95": "< 1"}, ["target_p95"]),
    ],
)
def test_what_can_not_be_meant_is_named(
    tmp_path: Path, changes: dict[str, object], words: list[str]
) -> None:
    refused(file_of(tmp_path, entry(**changes)), *words)


@pytest.mark.parametrize(
    ("text", "word"),
    [("speed = 3", "speed"), ("[speed", "toml"), ("\ufeff[speed]", ""), ("[[speed]]", "speed"),
     (entry() + "\n" + entry(), "")],
)  # fmt: skip
def test_what_is_no_file_of_thresholds_is_refused(tmp_path: Path, text: str, word: str) -> None:
    refused(file_of(tmp_path, text), word)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "missing.toml", "No such file")
    refused(tmp_path, "directory")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    refused(tmp_path / "latin.toml", "utf-8")


signs = st.sampled_from(["<", "<=", ">", ">="])
grid = [step / 2 for step in range(-8, 9)]
limits = st.builds(Limit, signs, st.sampled_from(grid))
growing = st.builds(
    ChunkLimit, signs, st.sampled_from(grid), st.sampled_from([0.0, 0.5, 1.0, 1.5]),
    st.none() | st.sampled_from(grid),
)  # fmt: skip
CHUNKS_S = [CHUNK_SECONDS[0], *(step / 12 for step in range(2, 12 * int(CHUNK_SECONDS[1]) + 1))]
"""Fine enough to hold every corner of the limits above."""


@given(limits, limits)
def test_a_limit_includes_another_when_it_allows_all_that_does(one: Limit, other: Limit) -> None:
    """Tried on a grid twice as fine and twice as wide as that of the limits."""
    values = [step / 4 for step in range(-40, 41)]
    assert one.includes(other) == all(one.allows(value) for value in values if other.allows(value))


@given(growing)
def test_a_limit_reads_what_it_writes(limit: ChunkLimit) -> None:
    again = ChunkLimit.parse(str(limit))
    assert str(again) == str(limit)
    assert all(again.at(chunk_s) == limit.at(chunk_s) for chunk_s in CHUNKS_S)


@given(growing, growing)
def test_a_growing_limit_includes_another_when_it_does_for_each_chunk(
    one: ChunkLimit, other: ChunkLimit
) -> None:
    """Wherever the lines cross, one of the lengths that are tried is beyond it."""
    each = [one.at(chunk_s).includes(other.at(chunk_s)) for chunk_s in CHUNKS_S]
    assert one.includes(other) == all(each)


@given(limits, st.tuples(st.sampled_from(grid), st.sampled_from(grid)))
def test_the_worse_end_is_allowed_only_if_all_is(limit: Limit, ends: tuple[float, float]) -> None:
    bounds = (min(ends), max(ends))
    inside = [bounds[0] + share * (bounds[1] - bounds[0]) for share in (0, 0.3, 1)]
    if limit.allows(limit.worse_end(bounds)):
        assert all(map(limit.allows, inside))
    if not limit.allows(limit.better_end(bounds)):
        assert not any(map(limit.allows, inside))
