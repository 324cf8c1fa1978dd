"""Which provider, model and chunk size suit a machine, by rules that are data."""

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
"""A machine sold with 16 GB shows at least this share of 16 GiB: some count in powers of ten, and
the system keeps a little for itself."""

Feature = Literal["metal", "apple_silicon", "cuda"]


class RecommendationRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of the table; fits a machine that has all it asks for."""

    name: str
    ram_gb: Annotated[float, Meta(ge=0)] = 0.0
    needs: tuple[Feature, ...] = ()
    provider: str
    model: str
    chunk_seconds: Annotated[float, Meta(gt=0)]
    compute_type: str
    options: dict[str, Option] = {}
    """What the provider has to be given for that compute type."""
    because: str
    requirement: str = ""
    """Ids of docs/requirements.md that it keeps; empty where it is echobench's own."""

    def __post_init__(self) -> None:
        try:
            self.reason(ram_gib=0, chip="")
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"because: only {{ram}} and {{chip}} are filled in ({error})"
            ) from None

    def reason(self, ram_gib: float, chip: str) -> str:
        """Why the rule says what it says, for a machine."""
        return self.because.format(ram=f"{ram_gib:.0f} GiB", chip=chip)

    def fits(self, machine: MachineProfile) -> bool:
        """Tell whether the machine has what the rule asks for."""
        enough = machine.ram_gib >= SOLD_AS * self.ram_gb
        return enough and all(getattr(machine, feature) for feature in self.needs)


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine is told to use, and why."""

    provider: str
    model: str
    chunk_seconds: float
    compute_type: str
    options: dict[str, Option] = {}
    rule: str
    reason: str

    @property
    def command(self) -> str:
        """What measures it on this machine."""
        options = "".join(f":{name}={value}" for name, value in self.options.items())
        what = f"--provider {self.provider}{options} --model {self.model}"
        return f"echobench run {what} --chunk-seconds {self.chunk_seconds:g}"

    def __str__(self) -> str:
        what = f"{self.provider}, {self.model}, {self.chunk_seconds:g} s chunks, "
        return f"{what}{self.compute_type} (rule {self.rule!r}: {self.reason})"


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    rules: Annotated[tuple[RecommendationRule, ...], Meta(min_length=1)]
    work: dict[str, Annotated[float, Meta(gt=0)]]
    """What a model costs, relative to base.en."""

    def next_larger(self, model: str) -> str | None:
        """The model that costs a little more; None where the table knows none."""
        cost = self.work.get(model)
        larger = [name for name, other in self.work.items() if cost is not None and other > cost]
        return min(larger, key=self.work.__getitem__, default=None)

    def next_smaller(self, model: str) -> str | None:
        """The model that costs a little less; None where the table knows none."""
        cost = self.work.get(model)
        smaller = [name for name, other in self.work.items() if cost is not None and other < cost]
        return max(smaller, key=self.work.__getitem__, default=None)


@cache
def read_table(path: Path = FILE) -> Table:
    """Read the table; its last rule fits every machine, so that there is always an answer.

    Raises:
        DataFileError: The file doesn't say what it must.
    """
    table = read_toml(path, Table)
    last = table.rules[-1]
    if last.ram_gb or last.needs:
        where = f"{path}, rule {last.name!r}"
        raise DataFileError(where, "the last rule asks for something", "one for all the rest")
    return table


def recommend(
    machine: MachineProfile, among: Collection[str] | None = None
) -> Recommendation | None:
    """Say what the first rule that fits says.

    Args:
        machine: The machine.
        among: Providers to choose from; all when None.

    Returns:
        None when no rule speaks of any of `among`.
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
