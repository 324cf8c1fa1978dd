"""Defines and reads the command line's options."""

from pathlib import Path

import msgspec
import pytest

from harness.clock import ClockKind
from harness.journal.run_folder import RUNS, RunFolder
from harness.specs.options import Options
from harness.specs.trial import Transport
from harness.support.arguments import (
    CHUNK_SECONDS,
    DURATION_S,
    GATES,
    SEEDS,
    not_empty,
    number_in,
    one_of,
    option,
    split_list,
    whole_number_in,
)

DEFAULTS = {
    "--provider": "every available one",
    "--model": "embedded",
    "--chunk-seconds": "2",
    "--scenario": "A, B, C and markers",
    "--duration": "the scenario's own",
    "--corpus": "the scenario's",
    "--vad": "as the scenario says",
    "--clock": "virtual, where a provider's figures are valid on it",
    "--transport": "in_process",
    "--gate": "minimum; with pytest's --strict, too few samples fail it too",
    "--thresholds": "suites/thresholds.toml",
    "--seed": "1",
    "--runs-dir": RUNS,
}
"""The default of each option, in words."""
REPEATABLE = ("--provider", "--model", "--chunk-seconds", "--scenario")
RESUME = """continue an earlier run, by id or as 'latest', and measure only its missing trials; its
options apply where none are given"""


def add_options(parser: pytest.Parser) -> None:
    """Add all options, in one group of `--help`."""
    group = parser.getgroup("echobench", "echobench: streaming speech recognition")
    for flag, default in DEFAULTS.items():
        if flag in REPEATABLE:
            words = f"{default}; repeatable, or with commas"
            group.addoption(flag, **option(flag, words, action="append", default=[]))
        else:
            group.addoption(flag, **option(flag, default))
    group.addoption("--resume", metavar="RUN", help=RESUME)


def runs_folder(config: pytest.Config) -> Path:
    """The folder of all runs."""
    return Path(config.option.runs_dir or RUNS)


def read_options(config: pytest.Config) -> Options:
    """Read and check the options; a resumed run's options are the defaults.

    Raises:
        UsageError: A value is invalid.
    """
    given: dict[str, object] = {}
    if providers := split_list("--provider", config.option.provider):
        given["providers"] = tuple(providers)
    if models := split_list("--model", config.option.model):
        given["models"] = tuple(models)
    if sizes := split_list("--chunk-seconds", config.option.chunk_seconds):
        numbers = [number_in("--chunk-seconds", size, CHUNK_SECONDS) for size in sizes]
        given["chunk_seconds"] = tuple(dict.fromkeys(numbers))
    if scenarios := split_list("--scenario", config.option.scenario):
        given["scenarios"] = tuple(scenarios)
    if (duration := config.option.duration) is not None:
        given["duration_s"] = number_in("--duration", duration, DURATION_S)
    if (clock := config.option.clock) is not None:
        given["clock"] = one_of("--clock", clock, ClockKind, ClockKind)
    if (transport := config.option.transport) is not None:
        given["transport"] = one_of("--transport", transport, Transport, Transport)
    if (gate := config.option.gate) is not None:
        given["gate"] = one_of("--gate", gate, lambda text: GATES[GATES.index(text)], GATES)
    if (seed := config.option.seed) is not None:
        given["seed"] = whole_number_in("--seed", seed, SEEDS)
    if config.getini("strict"):
        given["strict"] = True
    for name in ("corpus", "thresholds", "vad"):
        if (value := getattr(config.option, name)) is not None:
            given[name] = not_empty(f"--{name}", value)
    before = Options()
    if config.option.resume is not None:
        before = RunFolder.open(runs_folder(config), config.option.resume).info.options
    return msgspec.structs.replace(before, **given)
