"""Reports on runs that were measured: renders, compares, gates and follows them over time."""

import sys
import traceback
from collections.abc import Sequence

from harness.errors import EchobenchError
from harness.support.sanitize import sanitize
from reports.commands import compare, gate, render, trend
from reports.commands.shared import Parser

COMMANDS = (render, compare, gate, trend)


def main(arguments: Sequence[str] | None = None, program: str = "python -m reports") -> int:
    """Run a command.

    Args:
        arguments: Instead of the command line's.
        program: How the user called it.

    Returns:
        The exit status. A mistake is one line on standard error that says what is wrong, and the
        status that the command has for that: 3 of `gate`, else 2.
    """
    parser = Parser(prog=program, description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error_status = given.error_status
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        status: int = given.run_command(given)
    except EchobenchError as error:
        print(sanitize(" ".join(str(error).split())), file=sys.stderr)
        return int(given.error_status)
    except KeyboardInterrupt:
        print("broken off", file=sys.stderr)
        return int(given.error_status)
    except Exception:  # noqa: BLE001  (Python's own status for it is 1, which here is a verdict)
        traceback.print_exc()
        return int(given.error_status)
    return status


if __name__ == "__main__":
    sys.exit(main())
