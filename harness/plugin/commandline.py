"""The command line's options, and how they are read."""

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
    SEEDS,
    not_empty,
    number_in,
    one_of,
    split_list,
    whole_number_in,
)

GATES = ("target", "minimum")
OPTIONS = {
    "--provider": (
        "NAME",
        True,
        """
        what to measure, perhaps with options of its own, as in
        faster_whisper:device=cuda:beam_size=5 (default: every available provider)""",
    ),
    "--model": (
        "NAME",
        True,
        """
        'embedded', a name that the engine knows, which is fetched through the Hugging Face cache,
        or a path (default: embedded)""",
    ),
    "--chunk-seconds": ("SECONDS", True, "audio in a chunk, 0.1 to 30 (default: 2)"),
    "--scenario": (
        "NAME",
        True,
        """
        a file in suites/scenarios/, by name or by its letter (default: A, B, C and
        markers)""",
    ),
    "--duration": ("SECONDS", False, "length of the scenario (default: its own)"),
    "--corpus": (
        "NAME",
        False,
        """
        what is spoken: 'embedded', or the path of a manifest of your own, JSON lines as NeMo has
        them (default: the scenario's)""",
    ),
    "--vad": (
        "NAME|off",
        False,
        "filter silence out before the queue: 'silero', or 'off' (default: as the scenario says)",
    ),
    "--clock": (
        "wall|virtual",
        False,
        """
        wait for real, or skip idle waits and charge compute in full (default: virtual, where a
        provider's figures are true on it)""",
    ),
    "--transport": (
        "in_process|ws",
        False,
        """
        hand the audio over directly, or send it through the live server's WebSocket, on the wall
        clock (default: in_process)""",
    ),
    "--gate": (
        "target|minimum",
        False,
        """
        which column of the thresholds fails the run (default: minimum); with pytest's --strict, too
        few samples fail it too""",
    ),
    "--thresholds": ("FILE", False, "instead of suites/thresholds.toml"),
    "--seed": ("N", False, "for the order of utterances and the noise (default: 1)"),
    "--runs-dir": ("DIR", False, "where runs are kept (default: runs)"),
    "--resume": (
        "RUN",
        False,
        """
        go on with an earlier run, by id or as 'latest', and measure only what it lacks; its options
        hold where none are given""",
    ),
}
"""By flag: what its value is, whether it may be repeated or hold commas, and what it is for."""


def add_options(parser: pytest.Parser) -> None:
    """Add all options, in one group of `--help`."""
    group = parser.getgroup("echobench", "echobench: streaming speech recognition")
    for flag, (value, repeatable, purpose) in OPTIONS.items():
        text = " ".join(purpose.split()) + ("; repeatable, or with commas" if repeatable else "")
        if repeatable:
            group.addoption(flag, metavar=value, help=text, action="append", default=[])
        else:
            group.addoption(flag, metavar=value, help=text)


def runs_folder(config: pytest.Config) -> Path:
    """Where runs are kept."""
    return Path(config.option.runs_dir or RUNS)


def read_options(config: pytest.Config) -> Options:
    """Read and check what was given; a resumed run's own options stand behind it.

    Raises:
        UsageError: A value can't be used.
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
