"""Recommends a provider, model and chunk size for a machine, by the rules of a data file."""

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.contract import Option
from harness.errors import DataFileError
from harness.machine.profile import MachineProfile
from harness.support.data_file import SUITES, read_toml

FILE = SUITES / "recommendations.toml"
SOLD_AS = 0.93
"""A machine sold with 16 GB reports at least this share of 16 GiB: some makers count in powers of
ten, and the system reserves some memory."""

Feature = Literal["metal", "apple_silicon", "cuda"]


class RecommendationRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule of the file; fits a machine that meets all its conditions."""

    name: str
    ram_gb: Annotated[float, Meta(ge=0)] = 0.0
    needs: tuple[Feature, ...] = ()
    provider: str
    model: str
    chunk_seconds: Annotated[float, Meta(gt=0)]
    compute_type: str
    options: dict[str, Option] = {}
    """The provider's options for that compute type."""
    because: str
    requirement: str = ""
    """Ids of docs/requirements.md that it implements; empty for echobench's own rules."""

    def __post_init__(self) -> None:
        try:
            self.reason(ram_gib=0, chip="")
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"because: only {{ram}} and {{chip}} are filled in ({error})"
            ) from None

    def reason(self, ram_gib: float, chip: str) -> str:
        """The reason for the rule, with a machine's memory and chip filled in."""
        return self.because.format(ram=f"{ram_gib:.0f} GiB", chip=chip)

    def fits(self, machine: MachineProfile) -> bool:
        """Whether the machine meets the rule's conditions."""
        enough = machine.ram_gib >= SOLD_AS * self.ram_gb
        return enough and all(getattr(machine, feature) for feature in self.needs)


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """The provider, model and chunk size recommended for a machine, and the reason."""

    provider: str
    model: str
    chunk_seconds: float
    compute_type: str
    options: dict[str, Option] = {}
    rule: str
    reason: str

    @property
    def command(self) -> str:
        """The command that measures it on this machine."""
        options = "".join(f":{name}={value}" for name, value in self.options.items())
        what = f"--provider {self.provider}{options} --model {self.model}"
        return f"echobench run {what} --chunk-seconds {self.chunk_seconds:g}"

    def __str__(self) -> str:
        what = f"{self.provider}, {self.model}, {self.chunk_seconds:g} s chunks, "
        return f"{what}{self.compute_type} (rule {self.rule!r}: {self.reason})"


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the file: the rules, and the models' costs."""

    rules: Annotated[tuple[RecommendationRule, ...], Meta(min_length=1)]
    work: dict[str, Annotated[float, Meta(gt=0)]]
    """Computation per model, relative to base.en."""

    def next_larger(self, model: str) -> str | None:
        """The model with the next higher cost; None where the table has none."""
        cost = self.work.get(model)
        larger = [name for name, other in self.work.items() if cost is not None and other > cost]
        return min(larger, key=self.work.__getitem__, default=None)

    def next_smaller(self, model: str) -> str | None:
        """The model with the next lower cost; None where the table has none."""
        cost = self.work.get(model)
        smaller = [name for name, other in self.work.items() if cost is not None and other < cost]
        return max(smaller, key=self.work.__getitem__, default=None)


@cache
def read_table(path: Path = FILE) -> Table:
    """Read the table; its last rule fits every machine.

    Raises:
        DataFileError: The file has wrong content, or its last rule has conditions.
    """
    table = read_toml(path, Table)
    last = table.rules[-1]
    if last.ram_gb or last.needs:
        where = f"{path}, rule {last.name!r}"
        raise DataFileError(where, "the last rule has conditions", "one that fits every machine")
    return table


def recommend(
    machine: MachineProfile, among: Collection[str] | None = None
) -> Recommendation | None:
    """Recommend what the first fitting rule says.

    Args:
        machine: The machine.
        among: Providers to choose from; all when None.

    Returns:
        None when no fitting rule names one of `among`.
    """
    for rule in read_table().rules:
        if rule.fits(machine) and (among is None or rule.provider in among):
            return Recommendation(
                provider=rule.provider,
                model=rule.model,
                chunk_seconds=rule.chunk_seconds,
                compute_type=rule.compute_type,
                options=rule.options,
                rule=rule.name,
                reason=rule.reason(machine.ram_gib, machine.chip),
            )
    return None
