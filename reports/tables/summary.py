"""A run in a screenful of Markdown, for the summary of a pipeline's step."""

from collections.abc import Sequence

from harness.journal.run_folder import RunInfo
from harness.verdicts.evaluate import TrialResult
from reports.advice.answer import SIGNS, answer_for
from reports.formatting import with_unit
from reports.tables.markdown import plain, table

COLUMNS = {
    "rtf p95": "rtf_p95",
    "first text": "first_chunk_latency",
    "word p50": "word_emission_p50",
    "wer": "wer",
    "dropped": "dropped_chunks",
}
"""By title: the thresholds whose values stand in the table, where the run has them."""


def run_summary(info: RunInfo, results: Sequence[TrialResult]) -> str:
    """Write the summary; the same run gives the same text.

    Args:
        info: The run.
        results: Its trials.
    """
    answer = answer_for(results, info.options.gate, info.finished is not None)
    rows = []
    for trial in answer.trials:
        verdicts = trial.result.verdicts
        values = [with_unit(verdicts[name].value, verdicts[name].unit) if name in verdicts else ""
                  for name in COLUMNS.values()]  # fmt: skip
        deciding = "; ".join(point.words for point in trial.points if point.decides)
        level = f"{SIGNS[trial.level]} {trial.level}"
        rows.append([trial.result.spec.name, level, *values, deciding])
    parts = [
        f"### {SIGNS[answer.level]} {plain(answer.sentence)}\n",
        table(["trial", "verdict", *COLUMNS, "why"], rows),
        plain(f"run {info.run_id}, on {info.machine}") + "\n",
    ]
    return "\n".join(parts)
