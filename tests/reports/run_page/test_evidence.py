import math
from pathlib import Path

import msgspec
import pytest

from harness.journal.events import AnyEvent, Dropped, Inferred, Utterance
from harness.journal.run_folder import RunFolder
from reports.run_page.evidence import FINDERS, MAX, Evidence, Sample, evidence_of
from tests.reports.journals import OK, make_spec, played, read_results, write_run
from tests.reports.pages import Reader, page_of

WRONG = [("one two three", "one too three"), ("four five", "four five")]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    first, second = make_spec("first"), make_spec("second")
    return write_run(tmp_path, [(spec, played(spec, WRONG, drop_every=9), OK)
                                for spec in (first, second)])  # fmt: skip


def event_at(run: RunFolder, line: int) -> AnyEvent:
    text = run.journal.read_bytes().splitlines()[line - 1]
    event: AnyEvent = msgspec.json.decode(text, type=AnyEvent)
    return event


@pytest.mark.parametrize("trial", [0, 1])
def test_lines_are_those_of_the_journal(run: RunFolder, trial: int) -> None:
    results, _ = read_results(run)
    result = results[trial]
    found = evidence_of(result, ["rtf", "dropped_chunks", "wer", "out_of_order_segments"])
    slowest = found["rtf"].samples[0]
    span = event_at(run, int(slowest.lines))
    assert isinstance(span, Inferred)
    assert (span.end_s - span.begin_s) / 2.0 == pytest.approx(float(slowest.value))
    drops = [event_at(run, int(sample.lines)) for sample in found["dropped_chunks"].samples]
    assert drops == result.log.of(Dropped)
    wrong = event_at(run, int(found["wer"].samples[0].lines))
    assert isinstance(wrong, Utterance)
    assert wrong.text == "one two three"
    assert found["out_of_order_segments"] == Evidence([], 0, found["rtf"].lines)
    begin, end = map(int, found["rtf"].lines.split(" to "))
    assert event_at(run, begin).__class__.__name__ == "TrialStarted"
    assert event_at(run, end).__class__.__name__ == "TrialEnded"


def test_the_worst_come_first_and_the_rest_is_counted(run: RunFolder) -> None:
    results, _ = read_results(run)
    result = results[0]
    found = evidence_of(result, ["word_emission_latency", "rtf"])
    words = found["word_emission_latency"]
    samples = result.measurements["word_emission_latency"].samples or ()
    never = sum(map(math.isinf, samples))
    assert [sample.value for sample in words.samples] == ["never"] * min(MAX, never)
    assert len(words.samples) + words.more == len(samples)
    assert len(found["rtf"].samples) == MAX
    values = [float(sample.value) for sample in found["rtf"].samples]
    assert values == sorted(values, reverse=True)


@pytest.mark.slow
def test_every_finder_is_for_a_metric_and_works_on_a_real_trial(real_run: RunFolder) -> None:
    results, _ = read_results(real_run)
    assert FINDERS.keys() <= results[0].measurements.keys()
    for evidence in evidence_of(results[0], list(FINDERS)).values():
        for sample in evidence.samples:
            assert isinstance(sample, Sample)
            for line in sample.lines.split(", "):
                assert int(line) > 1


def test_each_verdict_on_the_page_leads_to_its_samples(run: RunFolder) -> None:
    page = page_of(run)
    results, _ = read_results(run)
    details = page.split('<tr id="trial-1-dropped_chunks">')[1].split("</tr>\n<tr id")[0]
    shown = Reader(f"<table><tr>{details}</tr></table>").text
    lines = [sample.lines for sample in
             evidence_of(results[0], ["dropped_chunks"])["dropped_chunks"].samples]  # fmt: skip
    for line in lines:
        assert line in shown
    assert "lines 1 to" in shown
