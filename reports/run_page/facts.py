"""What a run was measured on and with, and what its figures can't say."""

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
    ClockKind.VIRTUAL: "virtual: idle waits were skipped, compute was charged in full",
    ClockKind.WALL: "wall: every second was waited for",
}

Facts = list[tuple[str, str]]
"""Names and values."""


class _Card(msgspec.Struct, frozen=True):
    limits: str | list[str] = []


def run_facts(info: RunInfo, results: Sequence[TrialResult], thresholds: str) -> Facts:
    """What was asked for."""
    options = info.options
    clocks = sorted({result.spec.clock for result in results})
    corpora = sorted({result.spec.corpus for result in results})
    return [
        ("run", info.run_id),
        ("started", moment(info.started)),
        ("finished", moment(info.finished) if info.finished else "no: it was broken off"),
        ("command", " ".join(info.command)),
        *(("clock", CLOCKS[clock]) for clock in clocks),
        ("corpus", ", ".join(corpora)),
        ("seed", str(options.seed)),
        ("thresholds", thresholds),
        ("gate", f"{options.gate}: what misses it fails"),
        ("revision", info.revision or "unknown"),
        ("text normaliser", info.normalizer),
        ("schema", str(info.schema)),
    ]


def machine_facts(info: RunInfo) -> Facts:
    """What it was measured on."""
    machine = info.machine
    cores = f"{machine.physical_cores or 'unknown'} physical, {machine.logical_cores} logical"
    return [
        ("chip", machine.chip),
        ("cores", cores),
        ("memory", with_unit(machine.ram_bytes / 2**30, "GiB")),
        ("system", machine.system),
        ("load before", f"{machine.load_1min:g} in the last minute"),
        ("Python", machine.python),
        *sorted(machine.packages.items()),
    ]


def limits_of_embedded(results: Iterable[TrialResult], card: Path = CARD) -> list[str]:
    """What figures from the embedded model or corpus can't say; nothing where neither was used.

    Args:
        results: The trials.
        card: The embedded model's; it says what the limits are.

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
    """A moment for people.

    >>> moment("2026-11-22T21:48:49+00:00")
    '2026-11-22 21:48:49 UTC'
    """
    return iso.replace("T", " ").replace("+00:00", " UTC")
