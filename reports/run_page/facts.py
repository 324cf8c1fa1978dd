"""Lists the conditions of a run: options, machine, versions, and limits of the embedded model."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from harness.clock import ClockKind
from harness.errors import DataFileError
from harness.journal.run_folder import RunInfo
from harness.verdicts.evaluate import TrialResult
from models import EMBEDDED
from reports.formatting import with_unit

CARD = EMBEDDED / "card.json"
EMBEDDED_NAME = "embedded"
CLOCKS = {
    ClockKind.VIRTUAL: "virtual: idle waits are skipped, compute time counts in full",
    ClockKind.WALL: "wall: real time",
}

Facts = list[tuple[str, str]]
"""Pairs of name and value."""


class _Card(msgspec.Struct, frozen=True):
    limits: str | list[str] = []


def run_facts(info: RunInfo, results: Sequence[TrialResult], thresholds: str) -> Facts:
    """Return the run's options and revision."""
    options = info.options
    clocks = sorted({result.spec.clock for result in results})
    corpora = sorted({result.spec.corpus for result in results})
    return [
        ("run", info.run_id),
        ("started", moment(info.started)),
        ("finished", moment(info.finished) if info.finished else "no: the run was broken off"),
        ("command", " ".join(info.command)),
        *(("clock", CLOCKS[clock]) for clock in clocks),
        ("corpus", ", ".join(corpora)),
        ("seed", str(options.seed)),
        ("thresholds", thresholds),
        ("gate", f"{options.gate}: a verdict that misses it fails"),
        ("revision", info.revision or "unknown"),
        ("text normaliser", info.normalizer),
        ("schema", str(info.schema)),
    ]


def machine_facts(info: RunInfo) -> Facts:
    """Return the machine's properties and package versions."""
    machine = info.machine
    cores = f"{machine.physical_cores or 'unknown'} physical, {machine.logical_cores} logical"
    return [
        ("chip", machine.chip),
        ("cores", cores),
        ("memory", with_unit(machine.ram_bytes / 2**30, "GiB")),
        ("system", machine.system),
        ("load average before the run", f"{machine.load_1min:g} (1 min)"),
        ("Python", machine.python),
        *sorted(machine.packages.items()),
    ]


def limits_of_embedded(results: Iterable[TrialResult], card: Path = CARD) -> list[str]:
    """Return the limits of the embedded model and corpus; none where neither was used.

    Args:
        results: The trials.
        card: The embedded model's card, which lists the limits.

    Raises:
        DataFileError: The model's card is damaged.
    """
    used = any(EMBEDDED_NAME in (result.spec.model, result.spec.corpus) for result in results)
    if not used or not card.is_file():
        return []
    try:
        limits = msgspec.json.decode(card.read_bytes(), type=_Card).limits
    except msgspec.MsgspecError as error:
        raise DataFileError(str(card), str(error), "a model's card") from error
    return [limits] if isinstance(limits, str) else limits


def moment(iso: str) -> str:
    """Format a date and time.

    >>> moment("2026-11-22T21:48:49+00:00")
    '2026-11-22 21:48:49 UTC'
    """
    return iso.replace("T", " ").replace("+00:00", " UTC")
