"""`python -m harness COMMAND`: what can be done without pytest. Each command is a file."""

import importlib
import sys

from harness.errors import EchobenchError, UnknownNameError
from harness.support.sanitize import sanitize

COMMANDS = {
    "doctor": "what this machine is, what each provider lacks here, and what to use",
    "live": "captions over WebSocket: `live serve` and `live send`",
}
"""By name, which is also the file's in `harness/commands/`; only the one asked for is loaded."""
BAD_USAGE, BROKEN_OFF = 2, 130


def usage() -> str:
    """The list of commands."""
    lines = [f"  {name:<8} {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(["usage: python -m harness COMMAND [--help]", "", *lines])


def main(arguments: list[str]) -> int:
    """Run a command, and return the exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else BAD_USAGE
    name, *rest = arguments
    try:
        if name not in COMMANDS:
            raise UnknownNameError("python -m harness", name, COMMANDS)
        status: int = importlib.import_module(f"harness.commands.{name}").main(rest)
    except EchobenchError as error:
        print("error:", *map(sanitize, str(error).splitlines()), sep=" ", file=sys.stderr)
        return BAD_USAGE
    except KeyboardInterrupt:
        return BROKEN_OFF
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
