"""Generates docs/metrics.md from the metrics' docstrings: `python -m reports.metricsdoc`."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from harness.clock import ClockKind
from harness.contract import AudioSource
from harness.metrics import METRICS, TrialLog
from harness.specs.scenario import Scenario, SourceScript
from harness.specs.trial import TrialSpec
from harness.verdicts.thresholds import Threshold, read_thresholds
from reports.formatting import limit_with_unit

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"
INTRODUCTION = """\
# Metrics

Every figure is computed from the journal by a pure function in `harness/metrics/`; this page is
made of their docstrings (`python -m reports.metricsdoc`, and a test holds it to them). A metric of
many observations is given as percentiles, each of them one of the observations and never
interpolated; infinity stands for what never came. Times are seconds on the trial's clock.

Under each metric stands what `suites/thresholds.toml` holds it to. "p95 < 0.5" is passed when the
observations prove it with 95 % confidence, and failed when they refute it; between the two, more
are needed, and the verdict says how many. Where a figure is estimated, the end of its interval is
judged; a count or a single time is judged by itself.

Terms are explained in the [glossary](glossary.md). A metric of your own is one function:
[adding a metric](adding-a-metric.md).
"""
FIRST = """
    rtf dropped_chunks startup_time word_emission_latency finalization_delay marker_latency wer
    normalized_erasure unaccounted_samples residency_vanish
""".split()
"""The ten most important metrics."""
QUESTIONS = {
    "Does it keep up?": """
        rtf speed dropped_chunks queue_depth chunk_latency first_chunk_latency feeder_lateness""",
    "How long does it take to start and stop?": "startup_time stop_time",
    "How soon is text there, and final?": """
        word_emission_latency word_settled_latency word_final_latency finalization_delay
        time_to_first_text average_lagging length_adaptive_average_lagging marker_latency
        markers_missed markers_repeated beep_error""",
    "Is it right?": "wer cer matched_words last_words_missing invented_words",
    "Does the text keep still?": "normalized_erasure stable_words_retracted",
    "Is every sample accounted for?": "unaccounted_samples out_of_order_segments",
    "What does it take of the machine, and does that grow?": """
        cpu_per_audio_second memory_peak memory_growth thread_growth open_file_growth""",
    "Does the model stay loaded?": """
        residency_vanish residency_spawns residency_files residency_reads residency_fixed_cost
        residency_intercept residency_growth residency_periodic residency_memory_swing
        residency_slope first_vs_steady cache_speedup""",
    "Do times mean the same on two sources?": """
        timestamp_drift timestamp_drift_max drift_slope timestamp_offset""",
    "What does the voice filter save, and what does it cost?": """
        vad_false_rejection vad_words_lost vad_false_acceptance vad_silence_ratio
        vad_frames_skipped vad_cpu""",
    "Does it do anything that it must not?": """
        process_spawns files_created references_read detached_cpu loop_stall""",
    "Are the figures true that it reports itself?": """
        reported_inference_share health_error wire_health_error""",
    "Does a service hold, and what does it cost?": """
        interruptions interrupted_time cost_per_audio_hour""",
    "Does the table of recommendations fit this machine?": "recommended_rtf next_model_rtf",
}
"""The page's sections: questions, each with the metrics that answer it."""


def metrics_page() -> str:
    """Return the page, from the project's metrics and the suites' thresholds."""
    thresholds = list(read_thresholds().values())
    parts = [INTRODUCTION, _contents()]
    for question, names in QUESTIONS.items():
        parts.append(f"## {question}\n")
        parts += [_entry(name, thresholds) for name in names.split()]
    return "\n".join(parts)


def _contents() -> str:
    lines = ["## The ten to look at first\n", "| metric | what it is |", "| --- | --- |"]
    lines += [f"| [`{name}`](#{name}) | {_summary(name)} |" for name in FIRST]
    lines += ["\n## Contents\n"]
    for question, names in QUESTIONS.items():
        listed = ", ".join(f"`{name}`" for name in names.split())
        lines.append(f"- [{question}](#{anchor(question)})")
        lines += textwrap.wrap(listed, 96, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def _summary(name: str) -> str:
    return (inspect.getdoc(METRICS[name]) or "").partition("\n")[0].rstrip(".")


def anchor(heading: str) -> str:
    """Return the fragment with which GitHub links to a heading.

    >>> anchor("Does it keep up, and why?")
    'does-it-keep-up-and-why'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _entry(name: str, thresholds: list[Threshold]) -> str:
    function = METRICS[name]
    unit = unit_of(name)
    described = inspect.getdoc(function) or ""
    text = re.sub(r"(?m)^>>> .*(\n(?!\n).*)*", "", described).strip()
    file = Path(inspect.getfile(function)).name
    parts = [f"### `{name}`\n", text, f"Unit: {unit}. In `harness/metrics/{file}`."]
    parts += list(_limits(name, unit, thresholds))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _limits(name: str, unit: str, thresholds: list[Threshold]) -> Iterator[str]:
    for threshold in thresholds:
        if threshold.metric != name:
            continue
        target, minimum = (
            limit_with_unit(limit, "" if unit == "none, a ratio" else unit)
            for limit in (threshold.target, threshold.minimum)
        )
        what = "" if threshold.statistic == "value" else f"{threshold.statistic} "
        where = f", in {', '.join(threshold.scenarios)}" if threshold.scenarios else ""
        if ClockKind.VIRTUAL not in threshold.clocks:
            where += ", on the wall clock only"
        yield (f"- `{threshold.name}`: {what}target {target}, minimum {minimum}{where}"
               f" ({threshold.source})").replace("\N{NO-BREAK SPACE}", " ")  # fmt: skip


def unit_of(name: str) -> str:
    """Return a metric's unit, by its measurement of an empty trial."""
    source = SourceScript(name=AudioSource.MIC, gap_s=(0.0, 0.0))
    spec = TrialSpec(
        provider="none", model="none", chunk_seconds=1.0, corpus="embedded",
        scenario=Scenario(title="nothing", name="nothing", duration_s=1.0, sources=(source,)),
        clock=ClockKind.VIRTUAL,
    )  # fmt: skip
    unit = METRICS[name](TrialLog(spec, [])).unit
    return "none, a ratio" if unit == "1" else unit


if __name__ == "__main__":
    PAGE.write_text(metrics_page(), encoding="utf-8")
