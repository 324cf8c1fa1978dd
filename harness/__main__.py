"""`python -m harness COMMAND`: runs the commands that need no pytest."""

import importlib
import sys

from harness.errors import EchobenchError, UnknownNameError
from harness.support.sanitize import sanitize

COMMANDS = {
    "doctor": "what this machine is, what each provider lacks here, and what to use",
    "live": "captions over WebSocket: `live serve` and `live send`",
}
"""Purpose by name; each command is the module of that name in `harness/commands/`."""
BAD_USAGE, BROKEN_OFF = 2, 130


def usage(program: str) -> str:
    """List the commands, for the terminal."""
    lines = [f"  {name:<8} {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join([f"usage: {program} COMMAND [--help]", "", *lines])


def main(arguments: list[str], program: str = "python -m harness") -> int:
    """Run a command and return its exit status; `program` is how the user called it."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage(program))
        return 0 if arguments else BAD_USAGE
    name, *rest = arguments
    try:
        if name not in COMMANDS:
            raise UnknownNameError(program, name, COMMANDS)
        command = importlib.import_module(f"harness.commands.{name}")
        status: int = command.main(rest, f"{program} {name}")
    except EchobenchError as error:
        print("error:", *map(sanitize, str(error).splitlines()), sep=" ", file=sys.stderr)
        return BAD_USAGE
    except KeyboardInterrupt:
        return BROKEN_OFF
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
