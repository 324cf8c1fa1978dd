import numpy as np
import pandas as pd
import pytest

from harness.activities.conformance import RULES
from harness.journal.events import Queued
from harness.journal.journal import read_journal
from harness.journal.run_folder import RunFolder
from harness.specs.trial import Activity, TrialStatus
from harness.verdicts.evaluate import evaluate
from harness.verdicts.verdict import VerdictLevel
from reports.tables.frames import CHUNK_COLUMNS, SCHEMA, VERDICT_COLUMNS, chunk_frame, verdict_frame
from tests.reports.journals import read_results


def frames(folder: RunFolder) -> tuple[pd.DataFrame, pd.DataFrame]:
    results, _ = read_results(folder)
    run_id = folder.info.run_id
    return verdict_frame(run_id, results), chunk_frame(run_id, results)


@pytest.mark.parametrize("run", ["real_run", "mixed_run"])
def test_verdicts_are_those_of_the_harness(run: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(run)
    results, thresholds = read_results(folder)
    verdicts, _ = frames(folder)
    for result in results:
        rows = verdicts[verdicts.trial == result.record.number].set_index("threshold")
        assert rows.index.is_unique
        assert set(rows.run_id) == {folder.info.run_id}
        assert set(rows.schema) == {SCHEMA}
        for name, verdict in result.verdicts.items():
            row = rows.loc[name]
            assert row.level == verdict.level
            assert row.metric == thresholds[name].metric
            assert row.statistic == thresholds[name].statistic
            for column in ("value", "low", "high", "count"):
                expected = getattr(verdict, column)
                assert pd.isna(row[column]) if expected is None else row[column] == expected
        for name, check in result.checks.items():
            assert rows.loc[name].level == ("pass" if check.passed else "fail")
            assert rows.loc[name].metric == "conformance"
            assert pd.isna(rows.loc[name].value)


@pytest.mark.parametrize("run", ["real_run", "mixed_run"])
def test_chunks_are_those_of_the_journal(run: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(run)
    _, chunks = frames(folder)
    for record in read_journal(folder.journal):
        queued = sorted(
            (event for event in record.events if isinstance(event, Queued)),
            key=lambda event: (event.source, event.chunk),
        )
        rows = chunks[chunks.trial == record.number]
        assert list(rows.chunk) == [event.chunk for event in queued]
        assert list(rows.due_s) == [event.due_s for event in queued]
        assert list(rows.queued_s) == [event.at_s for event in queued]
        assert np.allclose(rows.audio_s, [event.samples / 16_000 for event in queued])


def test_what_was_not_seen_is_missing_and_not_zero(mixed_run: RunFolder) -> None:
    _, chunks = frames(mixed_run)
    good, slow = chunks[chunks.provider == "good"], chunks[chunks.provider == "slow"]
    silent = good[good.chunk.isin([4, 5])]
    assert silent.inference_s.isna().all()
    assert silent.rtf.isna().all()
    assert list(silent.inferences) == [0, 0]
    assert (good.drop(silent.index).rtf > 0).all()
    dropped = slow[slow.dropped]
    assert len(dropped) == 4
    for column in ("begun_s", "finished_s", "inference_s", "rtf", "inferences"):
        assert dropped[column].isna().all(), column
    assert not slow[~slow.dropped].begun_s.isna().any()


def test_a_trial_that_failed_fails_every_threshold_without_a_value(mixed_run: RunFolder) -> None:
    results, thresholds = read_results(mixed_run)
    verdicts, chunks = frames(mixed_run)
    for result in results:
        if result.status is TrialStatus.OK:
            continue
        rows = verdicts[verdicts.trial == result.record.number]
        assert set(rows.threshold) == {
            name for name, threshold in thresholds.items()
            if threshold.applies_to(result.spec)
        }  # fmt: skip
        assert set(rows.level) == {VerdictLevel.FAIL}
        assert set(rows.status) == {result.status}
        assert rows[["value", "low", "high", "count"]].isna().all(axis=None)
        assert rows.reason.str.startswith(f"{result.status}: ").all()
        assert not rows.reason.str.contains("\n").any()
        assert (chunks.trial == result.record.number).any()


def test_a_conformance_trial_that_failed_keeps_no_rule(mixed_run: RunFolder) -> None:
    records = [record for record in read_journal(mixed_run.journal)
               if record.started.spec.activity is Activity.CONFORMANCE]  # fmt: skip
    records[0].ended = None
    (result,) = evaluate(records, {}).values()
    rows = verdict_frame("a-run", [result])
    assert set(rows.threshold) == set(RULES)
    assert set(rows.level) == {VerdictLevel.FAIL}
    assert set(rows.reason) == {"interrupted: the run ended before the trial"}


def test_a_run_without_trials_has_empty_frames_of_the_same_columns() -> None:
    verdicts, chunks = verdict_frame("a-run", []), chunk_frame("a-run", [])
    assert dict(verdicts.dtypes.astype(str)) == VERDICT_COLUMNS
    assert dict(chunks.dtypes.astype(str)) == CHUNK_COLUMNS
    assert len(verdicts) == len(chunks) == 0
