"""A folder is looked at before a process is started on it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ModelError
from providers.voxtral.files import MAX_HEADER, check_model
from tests.stand_ins.voxtral_model import write_model

Spoil = Callable[[Path], object]


def write(name: str, content: bytes) -> Spoil:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str, kept: int) -> Spoil:
    return lambda folder: write(name, (folder / name).read_bytes()[:kept])(folder)


def header(tensors: object) -> bytes:
    encoded = json.dumps(tensors).encode()
    return struct.pack("<Q", len(encoded)) + encoded


WEIGHTS = "consolidated.safetensors"


def test_a_whole_model_is_accepted(tmp_path: Path) -> None:
    check_model(write_model(tmp_path))


def test_metadata_is_no_tensor(tmp_path: Path) -> None:
    tensors = {"norm.weight": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}
    write(WEIGHTS, header({"__metadata__": {"format": "pt"}, **tensors}) + bytes(2))(
        write_model(tmp_path)
    )
    check_model(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        (lambda folder: (folder / WEIGHTS).unlink(), WEIGHTS, "is missing"),
        (lambda folder: (folder / "tekken.json").unlink(), "tekken.json", "is missing"),
        (lambda folder: (folder / "params.json").unlink(), "params.json", "is missing"),
        (cut(WEIGHTS, 0), WEIGHTS, "no safetensors file (0 bytes)"),
        (cut(WEIGHTS, 7), WEIGHTS, "no safetensors file (7 bytes)"),
        (cut(WEIGHTS, 100), WEIGHTS, "no safetensors file (100 bytes)"),
        (cut(WEIGHTS, -1), WEIGHTS, "bytes"),
        (write(WEIGHTS, b"<html>404 Not Found</html>"), WEIGHTS, "no safetensors file"),
        (write(WEIGHTS, struct.pack("<Q", MAX_HEADER + 1)), WEIGHTS, "no safetensors file"),
        (write(WEIGHTS, header([1, 2])), WEIGHTS, "is damaged"),
        (write(WEIGHTS, header({"norm.weight": {"data_offsets": 3}})), WEIGHTS, "is damaged"),
        (cut("tekken.json", 20), "tekken.json", "is damaged"),
        (write("tekken.json", b"\xff\xfe"), "tekken.json", "is damaged"),
        (cut("params.json", 5), "params.json", "is damaged"),
    ],
)
def test_what_is_wrong_is_named(spoil: Spoil, file: str, words: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    spoil(folder)
    with pytest.raises(ModelError) as caught:
        check_model(folder)
    assert str(caught.value).startswith(str(folder / file))
    assert words in caught.value.problem
    assert "download_model.sh" in str(caught.value.allowed)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is missing"):
        check_model(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelError, match="is no folder"):
        check_model(tmp_path / "file")
