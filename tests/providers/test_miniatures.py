"""Providers of engines whose weights can't be had here: real engine, miniature model.

The models know four words, each a band of noise; see `bands`.
"""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from harness.audio import to_pcm16
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, AudioSource
from harness.errors import ModelError
from harness.provider.recording import RecordingObserver
from harness.provider.registry import make_provider
from tests.providers import parakeet_model, sherpa_model
from tests.providers.bands import GAP_S, SPEECH, WORD_S, say
from tests.providers.engines import failed_rules, hear, in_child, refusals, session, text_of

MODELS: dict[str, Callable[[Path], Path]] = {
    "parakeet": parakeet_model.write_model,
    "sherpa_onnx": sherpa_model.write_model,
}
WORDS = ["ah", "bee", "cee", "dee", "bee"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {name: str(write(tmp_path_factory.mktemp(name))) for name, write in MODELS.items()}


every_engine = pytest.mark.parametrize("name", MODELS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "clock"),
    [("parakeet", ClockKind.VIRTUAL), ("sherpa_onnx", ClockKind.VIRTUAL),
     ("sherpa_onnx", ClockKind.WALL)],
)  # fmt: skip
def test_every_rule_of_the_contract_is_kept(
    name: str, clock: ClockKind, models: dict[str, str]
) -> None:
    assert failed_rules(name, clock, SPEECH, models[name]) == []


@every_engine
@pytest.mark.parametrize("chunk_s", [0.1, 0.73, 30.0])
def test_words_come_in_order_and_where_they_were_spoken(
    name: str, chunk_s: float, models: dict[str, str]
) -> None:
    """Two utterances, in chunks of any length."""
    audio = to_pcm16(np.concatenate([say(WORDS), say(WORDS[::-1])]))

    async def body() -> list[ASRSegment]:
        async with session(name, models[name]) as provider:
            return await hear(provider, audio, chunk_s=chunk_s)

    said = run(body(), ClockKind.VIRTUAL)
    words = [word for segment in said if segment.is_final for word in segment.words]
    assert [word.text for word in words] == WORDS + WORDS[::-1]
    length_s = 0.5 + len(WORDS) * (WORD_S + GAP_S) + 1.0
    begins_s = [turn * length_s + 0.5 + at * (WORD_S + GAP_S) for turn in (0, 1) for at in range(5)]
    assert [word.t0 for word in words] == pytest.approx(begins_s, abs=0.15)


@every_engine
def test_one_model_serves_two_sources_in_turn(name: str, models: dict[str, str]) -> None:
    observer = RecordingObserver()

    async def body() -> list[str]:
        async with session(name, models[name], observer=observer) as provider:
            said = await asyncio.gather(
                hear(provider, to_pcm16(say(WORDS)), AudioSource.MIC, chunk_s=0.5),
                hear(provider, to_pcm16(say(WORDS[::-1])), AudioSource.SYSTEM, chunk_s=0.3),
            )
            return [text_of(segments) for segments in said]

    assert run(body(), ClockKind.WALL) == [" ".join(WORDS), " ".join(WORDS[::-1])]
    spans = sorted(observer.spans, key=lambda span: span.begin_s)
    for before, after in pairwise(spans):
        assert before.end_s <= after.begin_s
    assert sum(b.source is not a.source for b, a in pairwise(spans)) > 5


@pytest.mark.slow
@every_engine
def test_the_interpreter_ends_in_peace(name: str, models: dict[str, str]) -> None:
    """With a model still loaded and a stream in the middle."""
    child = in_child(
        """
from tests.providers.bands import say
from harness.audio import to_pcm16
provider = make_provider(arguments[0], {})
await provider.start_session("s", SessionConfig(model=arguments[1]))
async for segment in provider.transcribe_stream(chunks(to_pcm16(say(["ah", "bee"])), 0.5)):
    print(segment.text)
    raise SystemExit
""",
        name,
        models[name],
    )
    assert (child.returncode, child.stdout) == (0, "ah\n"), child.stderr[-500:]


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])


def replace(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


Damage = Callable[[Path], object]
DAMAGES: dict[str, dict[str, Damage]] = {
    "sherpa_onnx": {
        "no tokens.txt": lambda folder: (folder / "tokens.txt").unlink(),
        "no joiner": lambda folder: (folder / "joiner.onnx").unlink(),
        "several of decoder": lambda folder: (folder / "decoder-2.onnx").write_bytes(b""),
        "is empty": lambda folder: (folder / "encoder.onnx").write_bytes(b""),
        "no ONNX file": lambda folder: (folder / "encoder.onnx").write_bytes(b"\xff" * 5000),
        "is damaged": lambda folder: cut(folder / "encoder.onnx", 0.5),
        "does not load": lambda folder: replace(folder / "joiner.onnx", b"\x03Add", b"\x03Odd"),
    },
    "parakeet": {
        "no config.json": lambda folder: (folder / "config.json").unlink(),
        "no vocab.txt": lambda folder: (folder / "vocab.txt").unlink(),
        "no encoder-model.onnx": lambda folder: (folder / "encoder-model.onnx").unlink(),
        "model_type": lambda folder: replace(folder / "config.json", b"-tdt", b"-ctc"),
        "truncated": lambda folder: cut(folder / "config.json", 0.5),
        "no ONNX file": lambda folder: (folder / "encoder-model.onnx").write_bytes(b"\xff" * 999),
        "is damaged": lambda folder: cut(folder / "decoder_joint-model.onnx", 0.7),
        "does not load": lambda folder: replace(
            folder / "encoder-model.onnx", b"\x06MatMul", b"\x06MatNul"
        ),
    },
}  # fmt: skip


@pytest.mark.slow
@every_engine
def test_a_bad_model_is_named_before_the_loader_ends_the_process(name: str, tmp_path: Path) -> None:
    folders = []
    for number, damage in enumerate(DAMAGES[name].values()):
        folders.append(MODELS[name](tmp_path / str(number)))
        damage(folders[-1])
    answers = refusals(name, [*folders, tmp_path / "nowhere", MODELS[name](tmp_path / "sound")])
    for told, folder, answer in zip(DAMAGES[name], folders, answers[:-2], strict=True):
        assert answer.startswith(f"ModelError: {folder}"), answer
        assert told in answer
        assert "; allowed: " in answer
    assert "no such folder" in answers[-2]
    assert answers[-1] == "ready"


@pytest.mark.slow
def test_a_flipped_bit_is_refused_or_harmless(tmp_path: Path) -> None:
    """The process lives on in any case; sherpa-onnx's may end (`test_bad_models`)."""
    name = "parakeet"
    generator = np.random.default_rng(5)
    folders = []
    for number in range(24):
        folder = MODELS[name](tmp_path / str(number))
        path = generator.choice(sorted(folder.glob("*.onnx")))
        content = bytearray(path.read_bytes())
        content[generator.integers(len(content))] ^= 1 << generator.integers(8)
        path.write_bytes(content)
        folders.append(folder)
    answers = refusals(name, folders)
    assert {answer.partition(":")[0] for answer in answers} <= {"ModelError", "ready"}


def test_without_a_folder_it_is_said_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, variable in (("sherpa_onnx", "SHERPA"), ("parakeet", "PARAKEET")):
        monkeypatch.delenv(f"ECHOBENCH_{variable}_MODEL", raising=False)
        provider = make_provider(name, {})
        with pytest.raises(ModelError, match=f"ECHOBENCH_{variable}_MODEL"):
            provider.locate_model("given")
        assert not provider.is_available
        (lacking,) = [need for need in provider.requires if need.missing() is not None]
        assert f"ECHOBENCH_{variable}_MODEL" in lacking.remedy()
        assert make_provider(name, {"folder": "."}).is_available
