import msgspec
import pytest

from harness.journal.events import MachineSeen
from harness.machine.profile import MachineProfile
from harness.metrics import METRICS, Measurement, TrialLog
from harness.specs.scenario import all_scenarios
from harness.verdicts.thresholds import read_thresholds
from harness.verdicts.verdict import VerdictLevel, judge
from tests.machine.test_recommendation import machine
from tests.metrics.logs import chunks, log_of

APPLE_8, PC_16 = machine(8, apple=True), machine(16)
THRESHOLDS = read_thresholds(scenarios=all_scenarios())


def log(
    rtf: float, model: str, provider: str = "whisper_cpp", on: MachineProfile | None = APPLE_8
) -> TrialLog:
    """A trial of 65 s whose every chunk of a second took as long."""
    seen = [MachineSeen(machine=on)] if on else []
    made = log_of(*seen, *chunks([rtf] * 65))
    made.spec = msgspec.structs.replace(made.spec, model=model, provider=provider)
    return made


def of(name: str, made: TrialLog) -> Measurement:
    return METRICS[name](made)


def test_the_recommended_model_is_measured_itself() -> None:
    assert of("recommended_rtf", log(0.3, "base.en")).samples == pytest.approx([0.3] * 65)


def test_another_model_stands_in_by_what_models_cost() -> None:
    small = of("recommended_rtf", log(0.01, "embedded")).samples
    assert small == pytest.approx([0.01 / 0.1] * 65)
    larger = of("next_model_rtf", log(0.01, "embedded")).samples
    assert larger == pytest.approx([0.01 * 3.1 / 0.1] * 65)


@pytest.mark.parametrize(
    ("rtf", "recommended", "larger"),
    [
        (
            0.45,
            VerdictLevel.PASS,
            VerdictLevel.PASS,
        ),  # as the table says, and nothing more would do
        (0.05, VerdictLevel.PASS, VerdictLevel.WARN),  # the table is too modest
        (0.65, VerdictLevel.WARN, VerdictLevel.PASS),
        (1.20, VerdictLevel.FAIL, VerdictLevel.PASS),  # the table is wrong: it can't keep up
    ],
)
def test_it_says_when_the_table_is_wrong(
    rtf: float, recommended: VerdictLevel, larger: VerdictLevel
) -> None:
    made = log(rtf, "base.en")
    for name, expected in (("recommended_rtf", recommended), ("next_model_rtf", larger)):
        verdict = judge(THRESHOLDS[name], of(name, made), made.spec.chunk_seconds)
        assert verdict.level is expected, name


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (log(0.1, "base.en", on=None), "the trial didn't record its machine"),
        (log(0.1, "base.en", on=PC_16), "recommends faster_whisper; use --provider faster_whisper"),
        (log(0.1, "mine.bin"), "no relative cost of mine.bin; use --model base.en"),
    ],
)
def test_what_cannot_be_said_is_absent(made: TrialLog, why: str) -> None:
    measured = of("recommended_rtf", made)
    assert measured.samples is None
    assert why in (measured.absent or "")


def test_beyond_the_largest_model_there_is_nothing_to_say() -> None:
    large = log(0.1, "Voxtral-Mini-4B-Realtime", "voxtral_realtime", machine(64, apple=True))
    assert "no model larger than Voxtral" in (of("next_model_rtf", large).absent or "")
    assert of("recommended_rtf", large).samples
