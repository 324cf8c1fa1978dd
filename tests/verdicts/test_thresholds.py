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
from harness.verdicts.thresholds import FILE, Limit, read_thresholds
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


def played(scenario: str, transport: Transport = Transport.IN_PROCESS) -> TrialSpec:
    """A trial of a scenario of that name."""
    named = msgspec.structs.replace(scenario_of(6.0), name=scenario)
    return msgspec.structs.replace(spec_of("p", "c", scenario=named), transport=transport)


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
    assert threshold.applies_to(played("speech_heavy"))
    assert not threshold.applies_to(played("another"))


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


def test_a_limit_may_be_about_some_chunk_sizes(tmp_path: Path) -> None:
    path = file_of(tmp_path, entry(chunk_seconds="<= 2"))
    (threshold,) = read_thresholds(path).values()
    for chunk_s, applies in ((0.5, True), (2.0, True), (4.0, False)):
        spec = spec_of("p", "c", scenario=scenario_of(6.0), chunk_seconds=chunk_s)
        assert threshold.applies_to(spec) is applies


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
        ({"chunk_seconds": "2"}, ["'2' is no limit"]),
        ({"chunk_seconds": 2}, ["`str | null`", "chunk_seconds"]),
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


@given(limits, limits)
def test_a_limit_includes_another_when_it_allows_all_that_does(one: Limit, other: Limit) -> None:
    """Tried on a grid twice as fine and twice as wide as that of the limits."""
    values = [step / 4 for step in range(-40, 41)]
    assert one.includes(other) == all(one.allows(value) for value in values if other.allows(value))


@given(limits)
def test_a_limit_reads_what_it_writes(limit: Limit) -> None:
    assert Limit.parse(str(limit)) == limit


@given(limits, st.tuples(st.sampled_from(grid), st.sampled_from(grid)))
def test_the_worse_end_is_allowed_only_if_all_is(limit: Limit, ends: tuple[float, float]) -> None:
    bounds = (min(ends), max(ends))
    inside = [bounds[0] + share * (bounds[1] - bounds[0]) for share in (0, 0.3, 1)]
    if limit.allows(limit.worse_end(bounds)):
        assert all(map(limit.allows, inside))
    if not limit.allows(limit.better_end(bounds)):
        assert not any(map(limit.allows, inside))
