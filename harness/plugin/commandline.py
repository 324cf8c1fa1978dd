"""Defines and reads the command line's options."""

from collections.abc import Callable
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
CHECKS: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "providers": ("--provider", not_empty),
    "models": ("--model", not_empty),
    "chunk_seconds": ("--chunk-seconds", lambda at, text: number_in(at, text, CHUNK_SECONDS)),
    "scenarios": ("--scenario", not_empty),
    "duration_s": ("--duration", lambda at, text: number_in(at, text, DURATION_S)),
    "clock": ("--clock", lambda at, text: one_of(at, text, ClockKind, ClockKind)),
    "transport": ("--transport", lambda at, text: one_of(at, text, Transport, Transport)),
    "gate": ("--gate", lambda at, text: GATES[one_of(at, text, GATES.index, GATES)]),
    "seed": ("--seed", lambda at, text: whole_number_in(at, text, SEEDS)),
    "corpus": ("--corpus", not_empty),
    "thresholds": ("--thresholds", not_empty),
    "vad": ("--vad", not_empty),
}
"""By field of `Options`: its option, and what checks and converts a value of it."""
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
    for name, (flag, check) in CHECKS.items():
        value = getattr(config.option, flag.strip("-").replace("-", "_"))
        if flag in REPEATABLE:
            if texts := split_list(flag, value):
                given[name] = tuple(dict.fromkeys(check(flag, text) for text in texts))
        elif value is not None:
            given[name] = check(flag, value)
    if config.getini("strict"):
        given["strict"] = True
    before = Options()
    if config.option.resume is not None:
        before = RunFolder.open(runs_folder(config), config.option.resume).info.options
    return msgspec.structs.replace(before, **given)
