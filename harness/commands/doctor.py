"""`echobench doctor`: describes this machine, checks every provider, and recommends one."""

import argparse
import os
import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.errors import EchobenchError
from harness.machine.profile import MachineProfile, describe_machine
from harness.machine.recommendation import Recommendation, recommend
from harness.provider.attribution import provider_errors
from harness.provider.registry import PROVIDERS, make_provider, names
from harness.support.sanitize import sanitize

WIDTH = 80
INDENT, LABEL = 2, 18
OFFLINE = "HF_HUB_OFFLINE"
"""Set for the hub's client, so that looking for a model never fetches it."""
BUSY_SHARE = 0.5


@dataclass
class Checkup:
    """The check of one provider."""

    name: str
    model: str = ""
    lacks: list[tuple[str, str]] = field(default_factory=list)
    """Missing things, each with the command that gets it."""
    only_lacks_model: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether the provider can be used now."""
        return not self.lacks


def main(arguments: list[str], program: str = "echobench doctor") -> int:
    """Print the three tables; return 1 if no provider can be used, else 0."""
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.parse_args(arguments)
    os.environ[OFFLINE] = "1"
    machine = describe_machine()
    print(table("this machine", machine_rows(machine)))
    checkups = [check_up(name) for name in names(PROVIDERS)]
    print(table("providers", (row for checkup in checkups for row in provider_rows(checkup))))
    print(table("recommended here", advice_rows(machine, checkups)))
    return 0 if any(checkup.is_ready for checkup in checkups) else 1


def check_up(name: str, model: str | None = None) -> Checkup:
    """Check that a provider has its requirements and a model, by default its default one."""
    checkup = Checkup(name, model or "")
    try:
        with provider_errors(f"provider {name}"):
            provider = make_provider(name, {})
            checkup.model = model or provider.default_model
            checkup.lacks = [(what, need.remedy()) for need in provider.requires
                             if (what := need.missing()) is not None]  # fmt: skip
    except EchobenchError as error:
        checkup.lacks = [(f"a usable provider class: {error.problem}", error.allowed or "")]
    if checkup.is_ready:
        try:
            with provider_errors(f"provider {name}"):
                provider.locate_model(checkup.model)
        except EchobenchError as error:
            summary = error.problem.partition(" (")[0]
            checkup.lacks = [(f"the model {checkup.model}: {summary}", error.allowed or "")]
            checkup.only_lacks_model = True
    return checkup


def machine_rows(machine: MachineProfile) -> list[tuple[str, str]]:
    """The properties of the machine that decide what it can run."""
    cores = f"{machine.physical_cores or machine.logical_cores} cores"
    if machine.efficiency_cores:
        kinds = f"{machine.performance_cores} performance, {machine.efficiency_cores} efficiency"
        cores += f" ({kinds})"
    gpus = [f"{gpu.name}, {gpu.memory_bytes / 2**30:.0f} GiB (CUDA)" for gpu in machine.cuda]
    gpus += ["Metal"] * machine.metal
    disk = machine.free_disk_bytes
    power = str(machine.power or "not known")
    if machine.saves_power:
        power += ", saving power: the machine is slower than it could be"
    load = f"{machine.load_1min:g} in the last minute"
    if machine.load_1min > BUSY_SHARE * machine.logical_cores:
        load += ": other programs are busy, so trials may be void"
    return [
        ("chip", f"{machine.chip}, {cores}"),
        ("memory", f"{machine.ram_gib:.1f} GiB"),
        ("GPU", "; ".join(gpus) or "none that Metal or CUDA can use"),
        ("disk", "not known" if disk is None else f"{disk / 2**30:.0f} GiB free for models"),
        ("power", power),
        ("load", load),
        ("system", f"{machine.system}, Python {machine.python}"),
    ]


def provider_rows(checkup: Checkup) -> list[tuple[str, str]]:
    """One provider: ready, or what it lacks and how to get that."""
    if checkup.is_ready:
        return [(checkup.name, f"ready, with the model {checkup.model}")]
    rows = []
    for number, (what, remedy) in enumerate(checkup.lacks):
        rows.append(("" if number else checkup.name, f"lacks {what}"))
        if remedy:
            rows.append(("", f"-> {remedy}"))
    return rows


def advice_rows(machine: MachineProfile, checkups: list[Checkup]) -> list[tuple[str, str]]:
    """The recommendation, what it still lacks, and what to use until then."""
    advice = recommend(machine)
    if advice is None:
        return [("", "no rule fits this machine")]
    rows = rule_rows(advice)
    checkup = check_up(advice.provider, advice.model)
    if checkup.only_lacks_model:
        checkup.lacks = [(checkup.lacks[0][0], f"fetched at its first use: {advice.command}")]
    if checkup.is_ready:
        return [*rows, ("try it", advice.command)]
    rows += [("", text) for _, text in provider_rows(checkup)]
    ready = {checkup.name for checkup in checkups if checkup.is_ready}
    if ready:
        rows.append(("until then", f"{', '.join(sorted(ready))} with the default model"))
    return rows


def rule_rows(advice: Recommendation) -> list[tuple[str, str]]:
    """A recommendation and its reason."""
    what = f"{advice.model}, {advice.chunk_seconds:g} s chunks, {advice.compute_type}"
    return [(advice.provider, what), ("because", advice.reason)]


def table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Lay out labels and texts within the terminal's width, at most 80 columns.

    >>> print(table("machine", [("chip", "fast"), ("", "and cool")]))
    machine
      chip              fast
                        and cool
    <BLANKLINE>
    """
    width = min(WIDTH, shutil.get_terminal_size().columns) - 1
    lines = [title]
    for label, text in rows:
        lines += textwrap.wrap(
            sanitize(text),
            width,
            initial_indent=" " * INDENT + f"{sanitize(label):<{LABEL - 1}} ",
            subsequent_indent=" " * (INDENT + LABEL + 2),
            break_on_hyphens=False,
        )
    return "\n".join([*(line.rstrip() for line in lines), ""])
