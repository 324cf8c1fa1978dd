"""The command `echobench`: one name for what pytest, `harness` and `reports` do.

`echobench run` is pytest on the suites of this installation, with the plugins loaded and all of
pytest's options. It ignores the configuration of whatever project the current folder belongs to,
unless a test file of the user's own is named. Runs are kept in `runs/` in the current folder.
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
    "doctor": ("harness.__main__", "what this machine has and lacks, and what to use"),
    "live": ("harness.__main__", "captions over WebSocket: `live serve`, `live send`"),
    "report": ("reports.__main__", "write a run's page and tables again"),
    "compare": ("reports.__main__", "say how runs differ from the first of them"),
    "gate": ("reports.__main__", "hold a run to its thresholds, or a change to its base"),
    "trend": ("reports.__main__", "say what moved over many runs, and since when"),
}
"""By name: the module whose `main` does it under the same name, and what it is for."""
BAD_USAGE, OUTPUT_CLOSED = 2, 128 + signal.SIGPIPE
FOLDERS = ("harness", "providers", "corpora", "models", "reports")
"""The packages that are imported."""


def usage() -> str:
    """The list of commands."""
    lines = [f"  {name:<8} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(["usage: echobench COMMAND [OPTIONS]", "", *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit status.

    Args:
        arguments: Instead of the command line's.
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
    except BrokenPipeError:  # what reads the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED
    return status


def found_elsewhere(folder: str) -> Path | None:
    """Where a package of that name is found, if it isn't ours: their names aren't rare.

    >>> found_elsewhere("harness"), found_elsewhere("json").name
    (None, 'json')
    """
    spec = importlib.util.find_spec(folder)
    places = [Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()]
    ours = Path(__file__).resolve().parent / folder
    return None if ours in places[:1] else next(iter(places), Path("nowhere"))


def run(arguments: Sequence[str]) -> int:
    """Run pytest with the plugins, on the test files that are named or else on the suites.

    Returns:
        Pytest's exit status.
    """
    import pytest

    from harness.journal.run_folder import RUNS
    from harness.support.data_file import SUITES

    if any(is_test_file(word) for word in arguments):
        return int(pytest.main([*PLUGINS, *arguments]))
    apart = ("-c", os.devnull, f"--rootdir={SUITES.parent}", f"--confcutdir={SUITES}",
             "-p", "no:cacheprovider", "--benchmark-columns=min,median,max,rounds",
             f"--benchmark-storage=file://{RUNS / '.benchmarks'}")  # fmt: skip
    return int(pytest.main([*PLUGINS, *apart, str(SUITES), *arguments]))


def is_test_file(word: str) -> bool:
    """Tell a test file, perhaps with a test's name behind it, from options and their values.

    >>> is_test_file("-k"), is_test_file("absent.py::test_it"), is_test_file(__file__)
    (False, False, True)
    """
    path = Path(word.partition("::")[0])
    return path.suffix == ".py" and path.is_file()


if __name__ == "__main__":
    sys.exit(main())
