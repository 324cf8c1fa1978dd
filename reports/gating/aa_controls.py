"""What the controls of earlier gates said: a gate that cries wolf too often isn't believed."""

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
    """The last controls on a kind of machine, oldest first; none where the file isn't there.

    Raises:
        JournalError: The file can't be read, or isn't one of controls.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
        every = msgspec.json.Decoder(Control).decode_lines(content)
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalError(str(path), f"can't be read ({error})", "one control a line") from error
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
    """Why gates on this kind of machine aren't to be believed; empty when they are.

    >>> calm, alarm = Control("m", "2026-01-01", False), Control("m", "2026-01-01", True)
    >>> distrust([calm] * 98 + [alarm]), distrust([calm] * 98 + [alarm] * 2)
    ('', '2 of the last 100 controls alarmed, where no code had changed; at most 1 may')
    """
    alarmed = sum(each.alarm for each in controls)
    if alarmed <= MAX_ALARMS:
        return ""
    return (
        f"{alarmed} of the last {len(controls)} controls alarmed, where no code had changed;"
        f" at most {MAX_ALARMS} may"
    )
