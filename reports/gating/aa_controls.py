"""Records the gates' controls (base against itself), and limits their false alarms."""

from pathlib import Path

import msgspec

from harness.errors import JournalError

LAST, MAX_ALARMS = 100, 1


class Control(msgspec.Struct, frozen=True):
    """One gate's control on one kind of machine."""

    machine_class: str
    day: str
    """UTC, ISO 8601."""
    alarm: bool


def read_controls(path: Path, machine_class: str) -> list[Control]:
    """Return the last controls on a class of machine, oldest first; none where there is no file.

    Raises:
        JournalError: The file can't be read, or has other content.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
        every = msgspec.json.Decoder(Control).decode_lines(content)
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalError(str(path), f"can't be read ({error})", "one control per line") from error
    return [each for each in every if each.machine_class == machine_class][-LAST:]


def add_control(path: Path, control: Control) -> None:
    """Append a control to the file.

    Raises:
        JournalError: It can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(msgspec.json.encode(control) + b"\n")
    except OSError as error:
        raise JournalError(str(path), f"can't be written ({error.strerror})") from error


def distrust(controls: list[Control]) -> str:
    """Return why gates on this class of machine aren't reliable; empty when they are.

    >>> calm, alarm = Control("m", "2026-01-01", False), Control("m", "2026-01-01", True)
    >>> distrust([calm] * 98 + [alarm]), distrust([calm] * 98 + [alarm] * 2)
    ('', '2 of the last 100 controls alarmed, without a change of code; at most 1 is allowed')
    """
    alarmed = sum(each.alarm for each in controls)
    if alarmed <= MAX_ALARMS:
        return ""
    return (
        f"{alarmed} of the last {len(controls)} controls alarmed, without a change of code;"
        f" at most {MAX_ALARMS} is allowed"
    )
