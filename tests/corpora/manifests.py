"""Manifests for tests: written, and checked to be refused by one clear error."""

import json
from pathlib import Path
from typing import Any

import pytest

from corpora.recordings.reading import read_manifest
from harness.errors import DataFileError

SECOND = 16_000
GOOD: dict[str, Any] = {"audio_filepath": "a.wav", "duration": 1.0, "text": "open the door"}


def manifest(folder: Path, *lines: dict[str, Any] | str | bytes) -> Path:
    path = folder / "manifest.jsonl"
    parts = [line if isinstance(line, bytes) else
             (line if isinstance(line, str) else json.dumps(line)).encode()
             for line in lines]  # fmt: skip
    path.write_bytes(b"\n".join(parts) + b"\n")
    return path


def refused(path: Path, *words: str, line: int | None = None) -> None:
    with pytest.raises(DataFileError) as caught:
        read_manifest(path)
    assert caught.value.where == (f"{path}, line {line}" if line else str(path))
    for word in words:
        assert word in str(caught.value)
    assert caught.value.allowed
    assert len(str(caught.value).splitlines()) == 1
