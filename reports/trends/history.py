"""Records figures of runs in a history: one line of JSON per run, one file per machine class.

Lines are small, so they can be kept in the repository for years. A series' name has a hash of what
its figures depend on besides the code (model, corpus, scenario, clock, normaliser), so a change of
these begins a new series.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from harness.errors import JournalError, UsageError
from harness.journal.run_folder import RUNS
from harness.metrics import Measurement
from harness.specs.trial import Activity, TrialStatus
from harness.support.atomic_write import write_whole
from harness.support.git import CHECKOUT
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Outcome, Policy, judge_run
from reports.compare.comparable import machine_class
from reports.runs import Run

SCHEMA = 1
FOLDER = RUNS / "history" if CHECKOUT is None else CHECKOUT / "reports" / "history"
"""In the checkout where there is one, else beside the runs."""
PERCENTILES = ("p50", "p95")
Value = float | Literal["never"]
"""Infinity, which JSON doesn't have, is "never"."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run."""

    schema: int
    run_id: str
    started: str
    """UTC, ISO 8601."""
    revision: str | None
    machine_class: str
    figures: dict[str, dict[str, Value]]
    """By series and figure, such as "rtf p95"; absent figures are omitted."""
    units: dict[str, str]
    """By figure."""
    outcome: Outcome | None = None
    """The run's outcome; None in records of older versions."""
    sentence: str = ""
    """The outcome in words."""


def record_of(run: Run) -> Record:
    """Return the record of a run.

    Raises:
        UsageError: No trial was completed.
    """
    figures: dict[str, dict[str, Value]] = {}
    units: dict[str, str] = {}
    for result in run.results:
        if result.spec.activity is Activity.SCENARIO and result.status is TrialStatus.OK:
            found = list(_figures(result.measurements))
            figures[series_of(result, run)] = {name: value for name, value, _ in found}
            units |= {name: unit for name, _, unit in found}
    if not figures:
        where = f"run {run.info.run_id}"
        raise UsageError(where, "no trial was completed", "a run with figures")
    policy, finished = Policy.of(run.info.options), run.info.finished is not None
    judged = judge_run(run.results, policy, finished)
    return Record(
        schema=SCHEMA,
        run_id=run.info.run_id,
        started=run.info.started,
        revision=run.info.revision,
        machine_class=machine_class(run.info.machine),
        figures=figures,
        units=units,
        outcome=judged.outcome,
        sentence=judged.sentence,
    )


def series_of(result: TrialResult, run: Run) -> str:
    """Return the name of a trial's series: the trial's name, and a hash of its dependencies."""
    spec, inputs = result.spec, run.info.inputs
    used = [inputs[name].sha256 for name in (f"{spec.provider}/{spec.model}", spec.corpus)
            if name in inputs]  # fmt: skip
    untitled = msgspec.structs.replace(spec.scenario, title="")
    content = msgspec.json.encode(
        msgspec.structs.replace(spec, scenario=untitled), order="deterministic"
    )
    depends = b"\0".join([content, *(each.encode() for each in used), run.info.normalizer.encode()])
    return f"{spec.name} #{hashlib.sha256(depends).hexdigest()[:8]}"


def add_record(folder: Path, record: Record) -> Path:
    """Add a record to the history, replacing an earlier one of the same run.

    Returns:
        The file of the record.

    Raises:
        JournalError: The file can't be read or written.
    """
    path = folder / f"{slug(record.machine_class)}.jsonl"
    kept = [each for each in read_file(path) if each.run_id != record.run_id]
    records = sorted([*kept, record], key=lambda each: (each.started, each.run_id))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(str(folder), f"can't be made ({error.strerror})") from error
    write_whole(path, b"".join(msgspec.json.encode(each) + b"\n" for each in records))
    return path


def read_history(folder: Path) -> dict[str, list[Record]]:
    """Read all records by machine class, oldest first.

    Raises:
        UsageError: The folder is missing or has no records.
        JournalError: A file can't be read, or isn't a history.
    """
    history: dict[str, list[Record]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for record in read_file(path):
            history.setdefault(record.machine_class, []).append(record)
    if not history:
        raise UsageError(f"history {folder}", "holds no run", "a folder that `trend --add` filled")
    for records in history.values():
        records.sort(key=lambda each: (each.started, each.run_id))
    return dict(sorted(history.items()))


def read_file(path: Path) -> list[Record]:
    """Read the records of a file; none where there is no file.

    Raises:
        JournalError: It can't be read, or a line isn't a record.
    """
    if not path.exists():
        return []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise JournalError(str(path), f"can't be read ({error.strerror})") from error
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = msgspec.json.decode(line, type=Record)
        except msgspec.MsgspecError as error:
            where = f"{path}, line {number}"
            raise JournalError(where, str(error), f"a record of schema {SCHEMA}") from error
        if record.schema != SCHEMA:
            where = f"{path}, line {number}"
            raise JournalError(where, f"is of schema {record.schema}", f"schema {SCHEMA}")
        records.append(record)
    return records


def slug(name: str) -> str:
    """Convert a name to a file name.

    >>> slug("Apple M3 Pro, 12/12 cores, 36 GiB, Darwin arm64")
    'apple-m3-pro-12-12-cores-36-gib-darwin-arm64'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unknown"


def _figures(measurements: dict[str, Measurement]) -> Iterator[tuple[str, Value, str]]:
    for name, measured in measurements.items():
        for statistic in PERCENTILES if measured.samples else ("value",):
            value = measured.statistic(statistic)
            if value is not None:
                figure = name if statistic == "value" else f"{name} {statistic}"
                yield figure, "never" if value == float("inf") else value, measured.unit
