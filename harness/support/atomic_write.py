"""Writes files atomically: whole or not at all."""

import os
from pathlib import Path

from harness.errors import JournalError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: a reader sees the old content or the new, never a part.

    Raises:
        JournalError: It can't be written. The old file, if any, is unchanged.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise JournalError.unwritable(path, error) from error
