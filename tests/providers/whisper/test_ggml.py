import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ModelError
from providers.whisper.ggml import HEADER, check_ggml
from tests.profiles import examples
from tests.providers.ggml_files import MODEL, decode_in_child, layout_of, with_few_tokens

CONTENT = with_few_tokens(MODEL.read_bytes(), 300)
LAYOUT = layout_of(CONTENT)
HEADER_OF_COPY = {name: struct.unpack_from("<i", CONTENT, at)[0]
                  for name, at in LAYOUT.header.items()}  # fmt: skip
MEMORY_BYTES = 4 << 20


class Copy:
    """A copy of the model that can be damaged and is whole again afterwards."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(CONTENT)

    @contextmanager
    def with_bytes(self, at: int, value: bytes) -> Iterator[Path]:
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(value)
        try:
            yield self.path
        finally:
            with self.path.open("r+b") as file:
                file.seek(at)
                file.write(CONTENT[at : at + len(value)])

    @contextmanager
    def cut_at(self, length: int) -> Iterator[Path]:
        with self.path.open("r+b") as file:
            file.truncate(length)
        try:
            yield self.path
        finally:
            with self.path.open("r+b") as file:
                file.seek(length)
                file.write(CONTENT[length:])


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("model") / "ggml-copy.bin")


def refused(path: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        check_ggml(path)
    assert str(path) in str(caught.value)
    assert caught.value.allowed
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_embedded_model_is_sound() -> None:
    header = check_ggml(MODEL)
    assert tuple(header) == HEADER
    assert header["n_vocab"] == 51_864
    assert LAYOUT.end == len(CONTENT)


def test_so_is_the_copy_with_few_tokens(copy: Copy) -> None:
    assert check_ggml(copy.path) == HEADER_OF_COPY
    assert decode_in_child(copy.path).returncode == 0


@pytest.mark.slow
def test_every_cut_is_found(copy: Copy) -> None:
    """Through the header, and around every number and piece after it."""
    begins = [*range(60), *LAYOUT.integers, *LAYOUT.names]
    around = {at + step for at in begins for step in (-1, 0, 1)} - {-1}
    points = sorted(around | {len(CONTENT) - 1, len(CONTENT) - 4})
    for length in points[::2] + points[-5:]:
        with copy.cut_at(length) as path:
            refused(path)


@pytest.mark.slow
@given(st.integers(0, len(CONTENT) - 1))
@settings(max_examples=examples(100))
def test_a_cut_anywhere_is_found(copy: Copy, length: int) -> None:
    with copy.cut_at(length) as path:
        refused(path)


@pytest.mark.parametrize("more", [b"\0", b"\0" * 12, CONTENT[LAYOUT.tensors[-1] :]])
def test_more_than_the_model_is_found(tmp_path: Path, more: bytes) -> None:
    """Also a tensor that comes twice, which whisper.cpp takes for a missing one."""
    path = tmp_path / "more.bin"
    path.write_bytes(CONTENT + more)
    refused(path)


INTEGERS = st.one_of(
    st.sampled_from([0, -1, 1, 2**31 - 1, -(2**31), 0x67676D6C, 51_865, 51_866, 50_300]),
    st.integers(-(2**31), 2**31 - 1),
)


@given(st.sampled_from(LAYOUT.integers), INTEGERS)
@settings(max_examples=examples(150))
def test_a_wrong_number_is_refused_or_let_through_with_little_memory(
    copy: Copy, at: int, value: int
) -> None:
    with copy.with_bytes(at, struct.pack("<i", value)) as path:
        tracemalloc.start()
        try:
            check_ggml(path)
        except ModelError:
            pass
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert peak < MEMORY_BYTES


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.bin", b"", "lmgg"),
        ("tiny.bin", b"lmgg\0\0\0\0", "cut short"),
        ("gguf.bin", b"GGUF" + CONTENT[4:1000], "lmgg"),
        ("swapped.bin", b"ggml" + CONTENT[4:1000], "lmgg"),
        ("text.bin", b"<!DOCTYPE html><html>not found</html>", "lmgg"),
    ],
)
def test_other_files_are_named(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert problem in refused(tmp_path / name).problem


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "missing.bin").problem
    assert "no such file" in refused(tmp_path).problem


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(LAYOUT.header["n_audio_head"], struct.pack("<i", 128), id="heads of one"),
        pytest.param(LAYOUT.header["n_text_head"], struct.pack("<i", 1), id="one head"),
        pytest.param(LAYOUT.header["ftype"], struct.pack("<i", 7), id="no version"),
        pytest.param(LAYOUT.token_lengths[280] + 4, b"\xff", id="a token that is no text"),
        pytest.param(LAYOUT.filter_values, struct.pack("<f", float("nan")) * 200, id="NaN filter"),
        pytest.param(LAYOUT.names[0] + 40, b"\xff" * 400, id="NaN weights"),
        pytest.param(LAYOUT.end - 400, b"\xff\x7f" * 200, id="huge weights"),
    ],
)
def test_the_engine_survives_what_is_let_through(copy: Copy, at: int, value: bytes) -> None:
    """No check can tell these from a model that was trained badly."""
    with copy.with_bytes(at, value) as path:
        check_ggml(path)
        child = decode_in_child(path)
    assert child.returncode == 0, child.stderr[-500:]
