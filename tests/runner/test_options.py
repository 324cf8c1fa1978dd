import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import ClockKind
from harness.contract import ASRProvider
from harness.errors import DataFileError, UnknownNameError, UsageError
from harness.provider.choice import choose_providers, parse_provider
from harness.provider.registry import PROVIDERS, names
from harness.runner.plan import clock_for, plan
from harness.specs.options import Options
from harness.specs.trial import Activity
from harness.support.arguments import CHUNK_SECONDS, number_in, one_of, split_list, whole_number_in
from tests.providers.tones import ToneEngine

WORDS = st.text(st.characters(codec="ascii", exclude_characters=", \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"),
                min_size=1, max_size=5)  # fmt: skip


class WallOnly(ToneEngine):
    name = "wall_only"
    clocks = frozenset({ClockKind.WALL})


@given(st.lists(WORDS, min_size=1, max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))
def test_commas_and_repetition_mean_the_same(values: list[str], joined: list[bool]) -> None:
    given_as: list[str] = []
    for value, with_comma in zip(values, joined, strict=False):
        if with_comma and given_as:
            given_as[-1] += f" , {value}"
        else:
            given_as.append(value)
    assert split_list("--x", given_as) == list(dict.fromkeys(values))


@pytest.mark.parametrize("values", [[""], [" "], [","], ["a,"], [",a"], ["a,,b"], ["a", ""]])
def test_an_empty_value_is_no_value(values: list[str]) -> None:
    """As from a shell's variable that isn't set; measuring everything instead takes an hour."""
    with pytest.raises(UsageError, match="--x: nothing was given"):
        split_list("--x", values)


@given(st.floats(*CHUNK_SECONDS))
def test_a_number_in_the_range_is_read(number: float) -> None:
    assert number_in("--chunk-seconds", repr(number), CHUNK_SECONDS) == number


@given(st.floats(allow_nan=True).filter(lambda x: not CHUNK_SECONDS[0] <= x <= CHUNK_SECONDS[1]))
def test_a_number_out_of_the_range_is_refused(number: float) -> None:
    with pytest.raises(UsageError, match=r"--chunk-seconds: .*allowed: a number from 0.1 to 30"):
        number_in("--chunk-seconds", repr(number), CHUNK_SECONDS)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_an_error(text: str) -> None:
    try:
        assert CHUNK_SECONDS[0] <= number_in("--x", text, CHUNK_SECONDS) <= CHUNK_SECONDS[1]
    except UsageError as error:
        assert error.problem == repr(text)  # noqa: PT017  (either will do)


@pytest.mark.parametrize("text", ["", "-1", "10", "1.0", "1e0", "٣", "²", "0x1", "1_0", " 1", "+1"])
def test_whole_numbers_are_digits_only(text: str) -> None:
    with pytest.raises(UsageError, match="a whole number from 0 to 9"):
        whole_number_in("--seed", text, range(10))


def test_a_word_is_one_of_a_few() -> None:
    assert one_of("--clock", "wall", ClockKind, ClockKind) is ClockKind.WALL
    with pytest.raises(UsageError, match="--clock: 'Wall'; allowed: wall, virtual"):
        one_of("--clock", "Wall", ClockKind, ClockKind)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("x", {}),
        ("x:a=1:b=2.5:c=true:d=false", {"a": 1, "b": 2.5, "c": True, "d": False}),
        ("x:a=cuda:b=1x:c=-1:d=null", {"a": "cuda", "b": "1x", "c": -1, "d": "null"}),
        ("x:url=a=b", {"url": "a=b"}),
        ("x:url=https://host:80/v1:b=2", {"url": "https://host:80/v1", "b": 2}),
        ("x:a=1:a=2", {"a": 2}),
    ],
)
def test_options_of_a_provider_are_read_as_what_they_look_like(
    text: str, settings: dict[str, object]
) -> None:
    assert parse_provider(text) == ("x", settings)


@pytest.mark.parametrize("text", ["x:", "x:a", "x:a=", "x:=1", "x::a=1", "x:a=1:", ":"])
def test_half_an_option_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        parse_provider(text)


def test_providers_that_were_not_asked_for_are_all_there_are() -> None:
    choices, lacking = choose_providers(())
    chosen = {choice.provider.name for choice in choices}
    assert chosen >= {"faster_whisper", "whisper_cpp"}
    assert chosen | lacking.keys() == set(names(PROVIDERS))
    assert not chosen & lacking.keys()
    assert "app_server" in lacking  # whose server it is has to be said


def test_a_model_that_is_named_needs_no_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOBENCH_VOXTRAL_BIN", "sh")
    monkeypatch.delenv("ECHOBENCH_VOXTRAL_MODEL", raising=False)
    with pytest.raises(UsageError, match=r"lacks a folder with Voxtral.*ECHOBENCH_VOXTRAL_MODEL"):
        choose_providers(("voxtral_realtime",))
    (choice,), _ = choose_providers(("voxtral_realtime",), ("/some/where",))
    assert choice.provider.name == "voxtral_realtime"
    _, lacking = choose_providers((), ("base.en",))
    assert "lacks a folder" in lacking["voxtral_realtime"]


def test_what_costs_money_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    choices, lacking = choose_providers(())
    assert "openai_api" not in {choice.provider.name for choice in choices}
    assert lacking["openai_api"] == "costs money: --provider openai_api"
    (choice,), _ = choose_providers(("openai_api:mode=file",))
    assert choice.provider.name == "openai_api"


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("wisper_cpp", UnknownNameError, "did you mean 'whisper_cpp'"),
        ("Whisper_cpp", UnknownNameError, "did you mean 'whisper_cpp'"),
        ("policies", UnknownNameError, "no 'policies'"),
        ("__init__", UnknownNameError, "no '__init__'"),
        ("os", UnknownNameError, "no 'os'"),
        (
            "whisper_cpp:threads=2",
            DataFileError,
            "allowed: short_context, n_threads, use_gpu, flash_attention",
        ),
        ("whisper_cpp:n_threads=many", DataFileError, "n_threads"),
        ("faster_whisper:device=tpu", DataFileError, "allowed: auto, cpu, cuda"),
    ],
)
def test_a_provider_that_can_not_be_meant_is_named(
    text: str, error: type[UsageError], words: str
) -> None:
    with pytest.raises(error) as caught:
        choose_providers((text,))
    assert words in str(caught.value)


def test_the_clock_is_the_providers_unless_asked_for() -> None:
    both: ASRProvider = ToneEngine()
    assert clock_for(both, None) is ClockKind.VIRTUAL
    assert clock_for(both, ClockKind.WALL) is ClockKind.WALL
    assert clock_for(WallOnly(), None) is ClockKind.WALL
    with pytest.raises(UsageError, match=r"--clock virtual: wall_only .*allowed: wall"):
        clock_for(WallOnly(), ClockKind.VIRTUAL)


def test_a_plan_holds_every_combination_and_what_is_tried_once_a_model() -> None:
    choices, _ = choose_providers(("whisper_cpp", "faster_whisper:beam_size=2"))
    options = Options(
        models=("embedded", "tiny.en"), chunk_seconds=(1.0, 2.0, 4.0), scenarios=("A",),
        duration_s=30.0, corpus="mine.jsonl", seed=7, clock=ClockKind.WALL,
    )  # fmt: skip
    specs = plan(options, choices)
    played = [spec for spec in specs if spec.activity is Activity.SCENARIO]
    assert len(played) == 2 * 2 * 3
    for activity in (Activity.CONFORMANCE, Activity.RESIDENCY, Activity.LADDER):
        assert sum(spec.activity is activity for spec in specs) == 2 * 2
    assert len({spec.key for spec in specs}) == len({spec.name for spec in specs}) == len(specs)
    for spec in specs:
        assert (spec.corpus, spec.seed, spec.clock) == ("mine.jsonl", 7, ClockKind.WALL)
    for spec in played:
        assert (spec.scenario.name, spec.scenario.duration_s) == ("speech_heavy", 30.0)


def test_a_plan_without_options_is_the_scenarios_own() -> None:
    choices, _ = choose_providers(("whisper_cpp",))
    specs = plan(Options(), choices)
    spec = specs[0]
    assert (spec.model, spec.corpus, spec.chunk_seconds) == ("embedded", "embedded", 2.0)
    assert spec.scenario.duration_s == 600
    letters = [spec.scenario.alias or spec.scenario.name
               for spec in specs if spec.activity is Activity.SCENARIO]  # fmt: skip
    assert letters == ["A", "B", "C", "markers"]


def test_an_unknown_scenario_is_told_before_anything_runs() -> None:
    choices, _ = choose_providers(("whisper_cpp",))
    with pytest.raises(UnknownNameError, match="did you mean 'speech_heavy'"):
        plan(Options(scenarios=("speech_hevy",)), choices)
