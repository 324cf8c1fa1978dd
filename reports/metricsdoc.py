"""Makes docs/metrics.md of what metrics say about themselves: `python -m reports.metricsdoc`."""

import importlib
import inspect
import re
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
"""


def metrics_page() -> str:
    """The page, from the metrics that are registered and the thresholds of the suites."""
    thresholds = list(read_thresholds().values())
    by_file: dict[str, list[str]] = {}
    for name, function in METRICS.items():
        by_file.setdefault(function.__module__, []).append(name)
    parts = [INTRODUCTION]
    for module, names in by_file.items():
        about = inspect.getdoc(importlib.import_module(module)) or module
        parts.append(f"## {about.splitlines()[0].rstrip('.')}\n")
        parts += [_entry(name, thresholds) for name in names]
    return "\n".join(parts)


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
    """A metric's unit, as it gives it for a trial in which nothing happened."""
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
