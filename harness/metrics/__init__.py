"""What is computed from a trial's events: one file a subject, each figure a pure function."""

import importlib
import pkgutil

from harness.metrics.measurement import METRICS, Measurement, metric
from harness.metrics.triallog import TrialLog

__all__ = ["METRICS", "Measurement", "TrialLog", "measure", "metric"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def measure(log: TrialLog) -> dict[str, Measurement]:
    """Compute every metric of a trial, by name."""
    return {name: function(log) for name, function in METRICS.items()}
