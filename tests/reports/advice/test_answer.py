from pathlib import Path

import pytest

from harness.activities.conformance import RULES
from harness.journal.events import AnyEvent, TrialEnded
from harness.journal.run_folder import RunFolder
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.verdicts.policy import Outcome, Policy, judge_run
from reports.advice.answer import Answer, answer_for
from tests.reports.journals import OK, checked, ended, make_spec, played, read_results, write_run

SAID = [("one two three four", "one two three four")]


def answer(
    folder: Path,
    *trials: tuple[TrialSpec, list[AnyEvent], TrialEnded | None],
    gate: str = "minimum",
    finished: bool = True,
) -> Answer:
    results, _ = read_results(write_run(folder, trials))
    return answer_for(judge_run(results, Policy(gate), finished))


def good(name: str = "good", rtf: float = 0.1) -> tuple[TrialSpec, list[AnyEvent], TrialEnded]:
    """Chunks of a second, so that every threshold has its samples and the first text is early."""
    spec = make_spec(name, chunk_s=1.0, duration_s=120.0)
    return spec, played(spec, SAID, rtf=rtf), OK


def points(found: Answer, number: int = 0) -> list[tuple[str, bool]]:
    return [(point.words, point.decides) for point in found.trials[number].points]


def test_a_trial_that_meets_every_target_passes(tmp_path: Path) -> None:
    found = answer(tmp_path, good())
    assert (found.outcome, found.sentence) == (Outcome.PASS, "The trial passes")
    assert points(found) == [("passes 5 of 5 thresholds", True)]


def test_a_missed_target_warns_or_fails_as_the_gate_says(tmp_path: Path) -> None:
    found = answer(tmp_path / "a", good(), good("slower", rtf=0.6))
    assert found.sentence == "Nothing fails; 1 of 2 trials misses a target"
    assert [trial.outcome for trial in found.trials] == [Outcome.WARN, Outcome.PASS]
    assert points(found)[0] == ("rtf_p95 is 0.6; the target is <\xa00.5", True)
    found = answer(tmp_path / "b", good(), good("slower", rtf=0.6), gate="target")
    assert found.sentence == "1 of 2 trials fails"
    assert [trial.outcome for trial in found.trials] == [Outcome.FAIL, Outcome.PASS]
    assert points(found)[0] == ("rtf_p95 is 0.6; the target is <\xa00.5", True)


def test_what_breaks_a_minimum_comes_first(tmp_path: Path) -> None:
    spec = make_spec("bad", chunk_s=1.0, duration_s=120.0)
    bad = (spec, played(spec, [("one two three four", "five two")], rtf=0.6, drop_every=20), OK)
    found = answer(tmp_path, good(), bad)
    assert (found.outcome, found.sentence) == (Outcome.FAIL, "1 of 2 trials fails")
    assert found.trials[0].result.spec.provider == "bad"
    deciding = [words for words, decides in points(found) if decides]
    assert "dropped_chunks is 6\xa0chunks and must be <\xa05\xa0chunks" in deciding
    assert any(words.startswith("wer is 0.75 and must be") for words in deciding)
    assert ("rtf_p95 is 0.6; the target is <\xa00.5", False) in points(found)


def test_too_few_samples_are_no_pass(tmp_path: Path) -> None:
    spec = make_spec(chunk_s=2.0, duration_s=20.0)
    found = answer(tmp_path, (spec, played(spec, SAID), OK))
    assert found.sentence == "Nothing fails; the trial can't be judged in full"
    assert found.outcome is Outcome.INCONCLUSIVE
    assert ("rtf_p95 can't be judged: 10 samples, 0 beyond < 0.8; 59 needed", True) in points(found)


FAILED = [status for status in TrialStatus if status not in (TrialStatus.OK, TrialStatus.VOID)]


def test_a_spoiled_trial_is_not_judged(tmp_path: Path) -> None:
    found = answer(tmp_path, (make_spec(), [], ended(TrialStatus.VOID, "the machine slept")))
    assert found.sentence == "The trial says nothing about its provider"
    assert found.outcome is Outcome.INVALID
    assert points(found) == [("void: the machine slept", True)]


@pytest.mark.parametrize("status", FAILED)
def test_a_trial_without_figures_fails_and_says_how(tmp_path: Path, status: TrialStatus) -> None:
    found = answer(tmp_path, (make_spec(), [], ended(status, "this went wrong\n    | and so on")))
    if status in (TrialStatus.HARNESS_ERROR, TrialStatus.INTERRUPTED):
        said = (Outcome.INVALID, "The trial says nothing about its provider")
    else:
        said = (Outcome.FAIL, "The trial fails")
    assert (found.outcome, found.sentence) == said
    assert points(found) == [(f"{status.replace('_', ' ')}: this went wrong", True)]


def test_rules_count_as_one_trial(tmp_path: Path) -> None:
    spec = make_spec(activity=Activity.CONFORMANCE)
    found = answer(tmp_path / "a", (spec, checked([], list(RULES)), OK))
    assert points(found) == [(f"keeps all {len(RULES)} rules of the contract", True)]
    first, second, *others = RULES
    broken = checked([(first, "no"), (second, "no")], others)
    found = answer(tmp_path / "b", (spec, broken, OK))
    assert found.sentence == "The trial fails"
    assert points(found) == [(f"breaks 2 of {len(RULES)} rules: {first}, {second}", True)]


def test_a_run_that_was_broken_off_never_passes(tmp_path: Path) -> None:
    found = answer(tmp_path, good(), finished=False)
    assert found.sentence == "The run was broken off; the trial passes"
    assert found.outcome is Outcome.INVALID
    nothing = answer_for(judge_run([], Policy(), finished=True))
    assert (nothing.outcome, nothing.sentence) == (Outcome.INVALID, "Nothing was measured")


def test_every_trial_is_named_once(mixed_run: RunFolder) -> None:
    results, _ = read_results(mixed_run)
    numbers = [
        trial.result.record.number
        for trial in answer_for(judge_run(results, Policy(), True)).trials
    ]
    assert sorted(numbers) == [result.record.number for result in results]
