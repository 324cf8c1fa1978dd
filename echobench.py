"""The command `echobench`: runs the suites with pytest, and commands of `harness` and `reports`.

`echobench run` runs pytest on the installed suites, with the plugins loaded; it accepts all of
pytest's options. It ignores the pytest configuration of the current folder, unless one of the
user's test files is named. Runs are stored in `runs/` in the current folder.
"""

import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

PLUGINS = ("-p", "harness.plugin", "-p", "reports.plugin")
COMMANDS = {
    "run": (None, "measure and judge: pytest on the suites, with pytest's options"),
    "doctor": ("harness.__main__", "list what this machine has and lacks, and what to use"),
    "live": ("harness.__main__", "live captions over WebSocket: `live serve`, `live send`"),
    "report": ("reports.__main__", "write a run's page and tables again"),
    "compare": ("reports.__main__", "compare runs with the first of them"),
    "gate": ("reports.__main__", "judge a run by its thresholds, or a change against its base"),
    "trend": ("reports.__main__", "find what changed over many runs, and since when"),
}
"""By name: the module whose `main` runs the command, and its description."""
BAD_USAGE, OUTPUT_CLOSED = 2, 128 + signal.SIGPIPE
FOLDERS = ("harness", "providers", "corpora", "models", "reports")
"""Packages that are imported, and whose names another package may use."""


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<8} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(["usage: echobench COMMAND [OPTIONS]", "", *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit status.

    Args:
        arguments: Arguments to use instead of the command line's.
    """
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or [""]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name == "--version":
        print("echobench", version("echobench"))
        return 0
    if name not in COMMANDS:
        problem = f"error: echobench: no command {name!r}\n\n" if name else ""
        print(f"{problem}{usage()}", file=sys.stderr)
        return BAD_USAGE
    for folder in FOLDERS:
        if (other := found_elsewhere(folder)) is not None:
            print(f"error: package {folder}: comes from {other}, not from echobench; "
                  "allowed: an environment without another one", file=sys.stderr)  # fmt: skip
            return BAD_USAGE
    module, _ = COMMANDS[name]
    if module is None:
        return run(rest)
    try:
        status: int = importlib.import_module(module).main([name, *rest], program="echobench")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED
    return status


def found_elsewhere(folder: str) -> Path | None:
    """Return where a package is found if it isn't ours, since the names are common.

    >>> found_elsewhere("harness"), found_elsewhere("json").name
    (None, 'json')
    """
    spec = importlib.util.find_spec(folder)
    places = [Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()]
    ours = Path(__file__).resolve().parent / folder
    return None if ours in places[:1] else next(iter(places), Path("nowhere"))


def run(arguments: Sequence[str]) -> int:
    """Run pytest with the plugins, on the named test files or else on the suites.

    Returns:
        Pytest's exit status.
    """
    import pytest

    from harness.journal.run_folder import RUNS
    from harness.support.data_file import SUITES

    if any(is_test_file(word) for word in arguments):
        return int(pytest.main([*PLUGINS, *arguments]))
    isolated = ("-c", os.devnull, f"--rootdir={SUITES.parent}", f"--confcutdir={SUITES}",
             "-p", "no:cacheprovider", "--benchmark-columns=min,median,max,rounds",
             f"--benchmark-storage=file://{RUNS / '.benchmarks'}")  # fmt: skip
    return int(pytest.main([*PLUGINS, *isolated, str(SUITES), *arguments]))


def is_test_file(word: str) -> bool:
    """Return whether an argument names a test file, with or without a test's name.

    >>> is_test_file("-k"), is_test_file("absent.py::test_it"), is_test_file(__file__)
    (False, False, True)
    """
    path = Path(word.partition("::")[0])
    return path.suffix == ".py" and path.is_file()


if __name__ == "__main__":
    sys.exit(main())
