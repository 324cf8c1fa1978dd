"""Reports on measured runs: renders, compares and gates them, and finds trends."""

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
        The exit status. An error is one line on standard error, and the command's status for
        errors: 3 for `gate`, else 2.
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
        print("interrupted", file=sys.stderr)
        return int(given.error_status)
    except Exception:  # noqa: BLE001  (Python's exit status would be 1, which here is a verdict)
        traceback.print_exc()
        return int(given.error_status)
    return status


if __name__ == "__main__":
    sys.exit(main())
