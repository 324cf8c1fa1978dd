"""Summarises a run in Markdown, for the summary of a pipeline's step."""

from collections.abc import Sequence

from harness.journal.run_folder import RunInfo
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Policy, judge_run, not_judged_here
from harness.verdicts.thresholds import Threshold
from reports.advice.answer import answer_for
from reports.formatting import SIGNS, with_unit
from reports.tables.markdown import plain, table

COLUMNS = {
    "RTF (p95)": "rtf_p95",
    "first text": "first_chunk_latency",
    "word latency (p50)": "word_emission_p50",
    "word error rate": "wer",
    "dropped": "dropped_chunks",
}
"""Columns by title: the thresholds whose values the table shows, where the run has them."""


def run_summary(
    info: RunInfo, results: Sequence[TrialResult], thresholds: dict[str, Threshold]
) -> str:
    """Write the summary; the same run gives the same text.

    Args:
        info: The run.
        results: Its trials.
        thresholds: The thresholds that judged them.
    """
    answer = answer_for(judge_run(results, Policy.of(info.options), info.finished is not None))
    rows = []
    for trial in answer.trials:
        verdicts = trial.result.verdicts
        values = [with_unit(verdicts[name].value, verdicts[name].unit) if name in verdicts else ""
                  for name in COLUMNS.values()]  # fmt: skip
        deciding = "; ".join(point.words for point in trial.points if point.decides)
        outcome = f"{SIGNS[trial.outcome]} {trial.outcome}"
        rows.append([trial.result.spec.name, outcome, *values, deciding])
    parts = [
        f"### {SIGNS[answer.outcome]} {plain(answer.sentence)}\n",
        table(["trial", "outcome", *COLUMNS, "why"], rows),
        *(
            plain(sentence) + "\n"
            for sentence in not_judged_here([each.spec for each in results], thresholds)
        ),
        plain(f"run {info.run_id}, on {info.machine}") + "\n",
    ]
    return "\n".join(parts)
