import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.audio import to_float
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, SessionConfig
from harness.errors import DataFileError, ModelError, UnavailableError, UnknownNameError
from harness.provider.registry import make_provider
from harness.text_normalizer import tokens
from models import EMBEDDED
from providers.faster_whisper import FasterWhisper
from tests.providers.engines import hear, refusals, session, shortest, text_of, with_pauses

FOLDER = EMBEDDED / "ct2"
JSON_FILES = ("config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json")
CONFIG = json.loads((FOLDER / "config.json").read_text())


def variant(root: Path, name: str, file: str, content: bytes | None) -> Path:
    """The embedded model with one file replaced, or taken away."""
    folder = root / name
    folder.mkdir()
    for path in FOLDER.iterdir():
        if path.name != file:
            (folder / path.name).symlink_to(path)
    if content is not None:
        (folder / file).write_bytes(content)
    return folder


def variants(root: Path) -> list[Path]:
    made: list[Path] = []

    def add(file: str, content: bytes | None, how: str) -> None:
        made.append(variant(root, f"{len(made)}-{how}-{file}", file, content))

    for file in ("config.json", "model.bin", "tokenizer.json", "vocabulary.json"):
        add(file, None, "no")
    for file in JSON_FILES:
        whole = (FOLDER / file).read_bytes()
        for how, content in {
            "empty": b"", "cut": whole[:-9], "half": whole[: len(whole) // 2], "null": b"null",
            "number": b"3", "html": b"<html>", "binary": b"\xff\xfe\0", "string": b'"\xff"',
        }.items():  # fmt: skip
            add(file, content, how)
    for key, value in {
        "alignment_heads": [[99_999, 0]], "suppress_ids_begin": [10**9],
    }.items():  # fmt: skip
        add("config.json", json.dumps(CONFIG | {key: value}).encode(), f"far-{key}")
        less = {name: CONFIG[name] for name in CONFIG if name != key}
        add("config.json", json.dumps(less).encode(), f"without-{key}")
    add("vocabulary.json", b'["a", "b"]', "other")
    add("tokenizer.json", b"{}", "hollow")
    weights = (FOLDER / "model.bin").read_bytes()
    for length in (0, 1, 4, 6, 8, 60, 100, 700, 1500, len(weights) // 2, len(weights) - 1):
        add("model.bin", weights[:length], f"cut-at-{length}")
    add("model.bin", b"lmgg" + weights[4:], "magic")
    return made


@pytest.mark.slow
def test_damaged_folders_are_refused(tmp_path: Path) -> None:
    """The libraries would fail at the first decode, end the process, or name no file."""
    made = variants(tmp_path)
    answers = refusals("faster_whisper", [*made, tmp_path / "missing", FOLDER / "model.bin"])
    for path, answer in zip(made, answers, strict=False):
        assert answer.startswith(f"ModelError: {path}"), answer
        file = path.name.split("-", 1)[1].rpartition("-")[2]
        assert file in answer or "model" in answer
        assert "; allowed: " in answer
    assert all("no such folder" in answer for answer in answers[-2:])


@pytest.mark.parametrize("head", [[3, 0], [0, 4], [25, 3]])
def test_heads_that_the_decoder_lacks_are_refused(tmp_path: Path, head: list[int]) -> None:
    """A distilled model's folder may name its teacher's; the engine would read past its buffers."""
    config = CONFIG | {"alignment_heads": [[0, 0], head]}
    folder = variant(tmp_path, "distilled", "config.json", json.dumps(config).encode())
    with pytest.raises(ModelError, match=rf"head {head[1]} of layer {head[0]}, .*layers="):
        FasterWhisper().locate_model(str(folder))


@pytest.mark.slow
def test_the_optional_file_may_be_missing(tmp_path: Path) -> None:
    folder = variant(tmp_path, "without", "preprocessor_config.json", None)
    assert refusals("faster_whisper", [folder]) == ["ready"]


@pytest.mark.slow
def test_a_model_by_path_is_heard(tmp_path: Path) -> None:
    folder = variant(tmp_path, "mine", "none", None)

    async def body() -> list[ASRSegment]:
        async with session("faster_whisper", str(folder), compute_type="int8") as provider:
            return await hear(provider, with_pauses(shortest(1)[0]))

    assert tokens(text_of(run(body(), ClockKind.VIRTUAL))) == tokens(shortest(1)[0].text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "options", "whole"),
    [("embedded", {}, ()), ("embedded", {"short_context": False}, (False, True)),
     ("mine", {}, (True,)), ("mine", {"short_context": False}, (False, True))],
)  # fmt: skip
def test_no_more_is_encoded_than_the_window_needs(
    tmp_path: Path, model: str, options: dict[str, bool], whole: tuple[bool, ...]
) -> None:
    """But for finals of models that were not trained for it; the words are the same."""
    path = "embedded" if model == "embedded" else str(variant(tmp_path, model, "none", None))
    provider = make_provider("faster_whisper", dict(options))
    assert isinstance(provider, FasterWhisper)
    provider.load(SessionConfig(model=path))
    encoded: list[int] = []
    provider._model.model = Watched(provider._model.model, encoded)
    entry = shortest(1)[0]
    samples = to_float(entry.read().tobytes())
    for is_final in (False, True):
        words = provider.decode(samples, is_final=is_final)
        assert tokens(" ".join(word.text for word in words)) == tokens(entry.text)
    frames = {
        True: 3000,
        False: 2 * max(64 * math.ceil(1 + len(samples) / 320 / 64), 256 * (model == "mine")),
    }
    assert encoded == [frames[is_final in whole] for is_final in (False, True)]
    assert provider.decodes_finals_anew is (whole == (True,))
    provider.unload()


@pytest.mark.slow
def test_windows_of_all_lengths_are_encoded_in_few() -> None:
    """The engine never lets go of what it has made for a length."""
    provider = FasterWhisper()
    provider.load(SessionConfig(model="embedded"))
    encoded: list[int] = []
    provider._model.model = Watched(provider._model.model, encoded)
    noise = 0.01 * np.random.default_rng(0).standard_normal(8 * 16_000, dtype=np.float32)
    for length in range(8_000, len(noise), 1_600):
        provider.decode(noise[:length], is_final=True)
    assert len(encoded) >= 75
    assert len(set(encoded)) <= 7
    provider.unload()


class Watched:
    """The engine's own model; notes how many frames it is to encode."""

    def __init__(self, inner: Any, encoded: list[int]) -> None:
        self._inner, self._encoded = inner, encoded

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def encode(self, features: Any, to_cpu: bool) -> Any:
        self._encoded.append(features.shape[-1])
        return self._inner.encode(features, to_cpu=to_cpu)


def test_unknown_names_are_refused_without_asking_anyone() -> None:
    for name in ("tyny", "large-v9", ""):
        with pytest.raises(UnknownNameError):
            FasterWhisper().locate_model(name)


@pytest.mark.parametrize(
    ("options", "given", "allowed"),
    [({"compute_type": "int3"}, "'int3'", "float32"), ({"device": "cuda"}, "CUDA", "device=cpu")],
)
def test_what_the_machine_cannot_do_is_named(
    options: dict[str, str], given: str, allowed: str
) -> None:
    """As that, and not as a fault of the model."""
    import ctranslate2  # not before the module above has told its threads how to wait

    if options.get("device") == "cuda" and ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a CUDA device")
    provider = make_provider("faster_whisper", dict(options))
    with pytest.raises(UnavailableError) as caught:
        run(provider.start_session("test", SessionConfig(model="embedded")), ClockKind.WALL)
    assert given in caught.value.problem
    assert allowed in str(caught.value.allowed)


@pytest.mark.parametrize(
    "options", [{"device": "tpu"}, {"beam_size": 0}, {"cpu_threads": -1}, {"beams": 5}]
)
def test_wrong_options_are_refused(options: dict[str, str | int]) -> None:
    with pytest.raises(DataFileError, match="options of faster_whisper"):
        make_provider("faster_whisper", dict(options))
