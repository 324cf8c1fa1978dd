"""Computes metrics from a trial's events; each metric is a pure function."""

import importlib
import pkgutil

from harness.metrics.installed import call_metric, load_installed_metrics
from harness.metrics.measurement import ACTIVITY_OF, METRICS, Measurement, metric, residency_metric
from harness.metrics.triallog import TrialLog

__all__ = [
    "ACTIVITY_OF", "METRICS", "Measurement", "TrialLog", "load_installed_metrics", "measure",
    "metric", "residency_metric",
]  # fmt: skip

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def measure(log: TrialLog) -> dict[str, Measurement]:
    """Compute every metric of the trial's activity, by name.

    Raises:
        UsageError: A metric of an installed package failed.
    """
    return {
        name: call_metric(function, log)
        for name, function in METRICS.items()
        if ACTIVITY_OF[name] is log.spec.activity
    }
