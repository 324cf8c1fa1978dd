"""Metrics that other packages add: measured and limited like ours, refused by name when broken."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.metrics import ACTIVITY_OF, METRICS, load_installed_metrics, measure
from harness.verdicts.thresholds import read_thresholds
from reports.gating.plan import read_plan
from tests.metrics.logs import log_of

MODULE = "spare_metrics"
HEAD = "from harness.metrics import Measurement, metric\n\n\n@metric\ndef pauses(log):\n    "
PAUSES = f"{HEAD}return Measurement(unit='1', value=2.0)\n"
BROKEN = {
    "no module": ("absent_module:pauses", "", "pauses: spare-metrics can't be imported"),
    "no function": (f"{MODULE}:pauses", "", "pauses: spare-metrics can't be imported"),
    "import fails": (f"{MODULE}:pauses", "1 / 0", "spare-metrics can't .*division by zero"),
    "not decorated": (f"{MODULE}:pauses", "def pauses(log): ...", "metric pauses: spare-metrics"),
    "other name": (f"{MODULE}:pause", f"{PAUSES}pause = pauses\n", "metric pause: spare-metrics"),
    "a name of ours": (
        f"{MODULE}:wer",
        PAUSES.replace("pauses", "wer"),
        "spare-metrics, metric wer: spare_metrics defines it, and so does harness.metrics.accuracy",
    ),
}
FAILING = {
    "raises": ("return 1 / 0", r"metric pauses, trial by_hand\S*: spare_metrics raised ZeroDiv"),
    "returns a number": ("return 2.0", r"metric pauses, trial by_hand\S*: spare_metrics returned"),
}
LIMIT = '[pauses]\nmetric = "pauses"\ntarget = "< 1"\nminimum = "< 3"\nsource = "mine"\n'
Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package of one module with one metric, for the length of a test."""

    def write(target: str, code: str) -> None:
        info = tmp_path / "spare_metrics-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spare-metrics\nVersion: 1\n")
        name = target.partition(":")[2]
        (info / "entry_points.txt").write_text(f"[echobench.metrics]\n{name} = {target}\n")
        (tmp_path / f"{MODULE}.py").write_text(code)

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    for register in (METRICS, ACTIVITY_OF):  # registers are put back after the test
        monkeypatch.setitem(register, "pauses", None)
        del register["pauses"]
    return write


def test_an_installed_metric_is_measured_and_may_be_limited(
    install: Install, tmp_path: Path
) -> None:
    install(f"{MODULE}:pauses", PAUSES)
    (tmp_path / "mine.toml").write_text(LIMIT)
    thresholds = read_thresholds(tmp_path / "mine.toml")
    figures = measure(log_of())
    assert thresholds["pauses"].metric == "pauses"
    assert figures["pauses"].value == 2.0
    assert {"wer", "rtf"} <= figures.keys()


def test_a_gate_may_look_at_an_installed_metric(install: Install, tmp_path: Path) -> None:
    install(f"{MODULE}:pauses", PAUSES)
    plan = tmp_path / "gate.toml"
    plan.write_text('[timed.pauses]\nmetric = "pauses"\nbetter = "lower"\n')
    assert read_plan(plan).gated["pauses"].metric == "pauses"


def test_loading_twice_is_no_clash(install: Install) -> None:
    install(f"{MODULE}:pauses", PAUSES)
    load_installed_metrics()
    first = METRICS["pauses"]
    load_installed_metrics()
    assert METRICS["pauses"] is first


@pytest.mark.parametrize(("target", "code", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_package_is_one_error_that_names_it(
    install: Install, target: str, code: str, message: str
) -> None:
    built_in = METRICS["wer"]
    install(target, code)
    with pytest.raises(UsageError, match=message):
        read_thresholds()
    assert METRICS["wer"] is built_in


@pytest.mark.parametrize(("body", "message"), FAILING.values(), ids=FAILING)
def test_a_metric_that_fails_is_an_error_that_names_it(
    install: Install, body: str, message: str
) -> None:
    install(f"{MODULE}:pauses", f"{HEAD}{body}\n")
    load_installed_metrics()
    with pytest.raises(UsageError, match=message):
        measure(log_of())
