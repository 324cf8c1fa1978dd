"""Builds tidy data frames of a run: one observation per row, units in the column names.

Absent values are missing in the frame and empty in a file, never 0; infinity means that an event
never happened. `schema` changes when a column changes its meaning.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.metrics import Measurement
from harness.metrics.measurement import share_of
from harness.specs.trial import Activity, TrialSpec
from harness.statistics import percentile_bounds
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.verdict import VerdictLevel
from reports.compare.comparison import Comparison

SCHEMA = 2
TYPES = {
    "Int64": "schema trial count chunk inferences",
    "Float64": "chunk_s value low high audio_s due_s queued_s begun_s finished_s inference_s rtf "
    "base head difference ratio cliffs_delta",
    "boolean": "dropped tail",
}
"""Columns by pandas type; all others are text."""
TYPE_OF = {name: kind for kind, names in TYPES.items() for name in names.split()}


def typed(names: str) -> dict[str, str]:
    """Return columns, in order, with their types.

    >>> typed("trial model")
    {'trial': 'Int64', 'model': 'string'}
    """
    return {name: TYPE_OF.get(name, "string") for name in names.split()}


TRIAL_COLUMNS = typed("schema run_id trial provider model chunk_s scenario clock status")
VERDICT_COLUMNS = TRIAL_COLUMNS | typed(
    "threshold metric statistic level value unit count low high target minimum reason"
)
CHUNK_COLUMNS = TRIAL_COLUMNS | typed(
    "source chunk audio_s due_s queued_s begun_s finished_s inference_s rtf inferences dropped tail"
)
FIGURE_COLUMNS = TRIAL_COLUMNS | typed("metric statistic value unit count low high absent")
DIFFERENCE_COLUMNS = typed(
    "schema base_run_id head_run_id provider model chunk_s scenario clock metric statistic unit "
    "base head difference low high ratio cliffs_delta change reason"
)
# Columns with the same names as attributes of verdicts, chunks and differences:
PLAIN_VERDICT_COLUMNS = (
    "metric",
    "statistic",
    "value",
    "count",
    "low",
    "high",
    "target",
    "minimum",
)
PLAIN_CHUNK_COLUMNS = typed("audio_s due_s queued_s begun_s finished_s dropped")
PLAIN_DIFFERENCE_COLUMNS = typed("metric statistic unit base head difference ratio")
PERCENTILES = ("p50", "p95", "p99")

Row = dict[str, Any]


def verdict_frame(run_id: str, results: Sequence[TrialResult]) -> pd.DataFrame:
    """Return one row per threshold that applies to a trial, and per rule that it tried.

    A rule's name is in the column `threshold`, with the metric "conformance". A trial that failed
    also has one row per threshold, without a value and with the reason.

    Args:
        run_id: The run.
        results: Its trials.
    """
    rows = [row for result in results for row in _verdict_rows(run_id, result)]
    return _frame(rows, VERDICT_COLUMNS)


def chunk_frame(run_id: str, results: Sequence[TrialResult]) -> pd.DataFrame:
    """Return one row per queued chunk, also of trials that failed.

    Times are seconds on the trial's clock since its first sample. `inference_s` and `rtf` are
    missing where there was no inference: in silence, and in chunks that were never taken.

    Args:
        run_id: The run.
        results: Its trials.
    """
    frames = [
        _chunks_of(run_id, result)
        for result in results
        if result.spec.activity is Activity.SCENARIO
    ]
    return pd.concat(frames, ignore_index=True) if frames else _frame([], CHUNK_COLUMNS)


def figure_frame(run_id: str, results: Sequence[TrialResult]) -> pd.DataFrame:
    """Return one row per figure of each successful trial: the value, or percentiles and maximum.

    `absent` is the reason for a missing value. `low` and `high` bound the value with 95 %
    confidence per side.

    Args:
        run_id: The run.
        results: Its trials.
    """
    rows = [
        _trial_row(run_id, result) | row
        for result in results
        for name, measured in result.measurements.items()
        for row in _figure_rows(name, measured)
    ]
    return _frame(rows, FIGURE_COLUMNS)


def difference_frame(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """Return one row per figure that two runs share; `low` and `high` bound `difference`."""
    rows = [
        {
            "schema": SCHEMA,
            "base_run_id": comparison.base.info.run_id,
            "head_run_id": comparison.head.info.run_id,
            **_spec_columns(trial.spec),
            **{name: getattr(each, name) for name in PLAIN_DIFFERENCE_COLUMNS},
            "low": each.interval[0] if each.interval else None,
            "high": each.interval[1] if each.interval else None,
            "cliffs_delta": each.effect,
            "change": str(each.change),
            "reason": each.reason or None,
        }
        for comparison in comparisons
        for trial in comparison.trials
        for each in trial.differences
    ]
    return _frame(rows, DIFFERENCE_COLUMNS)


def _frame(rows: list[Row], columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def _spec_columns(spec: TrialSpec) -> Row:
    return {
        "provider": spec.provider,
        "model": spec.model,
        "chunk_s": spec.chunk_seconds,
        "scenario": spec.scenario.name,
        "clock": str(spec.clock),
    }


def _trial_row(run_id: str, result: TrialResult) -> Row:
    return {
        "schema": SCHEMA,
        "run_id": run_id,
        "trial": result.record.number,
        **_spec_columns(result.spec),
        "status": str(result.status),
    }


def _verdict_rows(run_id: str, result: TrialResult) -> Iterator[Row]:
    common = _trial_row(run_id, result)
    for threshold, verdict in result.verdicts.items():
        yield common | {
            "threshold": threshold,
            **{name: getattr(verdict, name) for name in PLAIN_VERDICT_COLUMNS},
            "level": str(verdict.level),
            "unit": verdict.unit or None,
            "target": str(verdict.target),
            "minimum": str(verdict.minimum),
            "reason": verdict.reason or None,
        }
    for name, check in result.checks.items():
        yield common | {
            "threshold": name,
            "metric": "conformance",
            "level": str(VerdictLevel.PASS if check.passed else VerdictLevel.FAIL),
            "reason": check.detail or None,
        }


def _figure_rows(name: str, measured: Measurement) -> Iterator[Row]:
    common: Row = {"metric": name, "unit": measured.unit, "absent": measured.absent}
    if not measured.samples:
        low, high = measured.bounds or (None, None)
        yield common | {"statistic": "value", "value": measured.value, "count": measured.count,
                        "low": low, "high": high}  # fmt: skip
        return
    count = len(measured.samples)
    for statistic in PERCENTILES:
        low, high = percentile_bounds(measured.samples, share_of(statistic))
        yield common | {
            "statistic": statistic,
            "value": measured.statistic(statistic),
            "count": count,
            "low": low,
            "high": high,
        }
    yield common | {"statistic": "max", "value": max(measured.samples), "count": count}


def _chunks_of(run_id: str, result: TrialResult) -> pd.DataFrame:
    """Build a trial's rows column by column, since there may be hundreds of thousands of chunks."""
    chunks = result.log.chunks
    seen = [bool(chunk.inferences) for chunk in chunks]
    first_of_all = np.zeros(len(chunks), int)
    trial = {name: pd.array([value], dtype=TRIAL_COLUMNS[name]).take(first_of_all)
             for name, value in _trial_row(run_id, result).items()}  # fmt: skip
    columns: dict[str, list[Any]] = {
        name: [getattr(chunk, name) for chunk in chunks] for name in PLAIN_CHUNK_COLUMNS
    }
    columns |= {
        "source": [str(chunk.source) for chunk in chunks],
        "chunk": [chunk.index for chunk in chunks],
        "inference_s": [chunk.inference_s if any_ else None
                        for chunk, any_ in zip(chunks, seen, strict=True)],
        "rtf": [chunk.rtf if any_ else None for chunk, any_ in zip(chunks, seen, strict=True)],
        "inferences": [None if chunk.begun_s is None else len(chunk.inferences)
                       for chunk in chunks],
        "tail": [chunk.is_tail for chunk in chunks],
    }  # fmt: skip
    rest = {name: pd.array(values, dtype=CHUNK_COLUMNS[name]) for name, values in columns.items()}
    return pd.DataFrame({name: (trial | rest)[name] for name in CHUNK_COLUMNS})
