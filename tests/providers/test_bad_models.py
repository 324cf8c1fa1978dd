"""Whole model files that hold nonsense: whatever the engine does, the trial's status names it."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.journal.journal import TrialRecord
from harness.specs.trial import TrialStatus
from tests.providers import parakeet_model, sherpa_model
from tests.providers.ggml_files import MODEL, layout_of, with_few_tokens
from tests.trials import run_of, spec_of

CONTENT = with_few_tokens(MODEL.read_bytes(), 300)
LAYOUT = layout_of(CONTENT)


def sherpa(folder: Path, metadata: dict[str, str]) -> Path:
    sherpa_model.write_model(folder)
    sherpa_model.save(folder / "encoder.onnx", sherpa_model.encoder(), metadata)
    return folder


def replaced(folder: Path, file: str, old: bytes, new: bytes) -> Path:
    content = (folder / file).read_bytes()
    assert old in content
    (folder / file).write_bytes(content.replace(old, new))
    return folder


def ggml(folder: Path, at: int, value: bytes) -> Path:
    path = folder.with_suffix(".bin")
    path.write_bytes(CONTENT[:at] + value + CONTENT[at + len(value) :])
    return path


Spoil = Callable[[Path], Path]
CRASH, ERROR, INPUT = (
    TrialStatus.PROVIDER_CRASH, TrialStatus.PROVIDER_ERROR, TrialStatus.BAD_INPUT,
)  # fmt: skip
CASES: dict[str, tuple[str, Spoil, TrialStatus, str]] = {
    "no model type": ("sherpa_onnx", lambda folder: sherpa(folder, {}), CRASH, "No model_type"),
    "no numbers": ("sherpa_onnx", lambda folder: sherpa(folder, {"model_type": "lstm"}), CRASH,
                   "'num_encoder_layers' does not exist"),
    "odd tokens": ("sherpa_onnx", lambda folder: replaced(
        sherpa_model.write_model(folder), "tokens.txt", b" 1\n", b"\n"), ERROR, "IndexError"),
    "odd vocabulary": ("parakeet", lambda folder: replaced(
        parakeet_model.write_model(folder), "vocab.txt", b" 2\n", b" two\n"), INPUT, "'two'"),
    "no heads": ("whisper_cpp", lambda folder: ggml(
        folder, LAYOUT.header["n_audio_head"], struct.pack("<i", 0)), CRASH, "SIGFPE"),
    "odd vocabulary size": ("whisper_cpp", lambda folder: ggml(
        folder, LAYOUT.header["n_vocab"], struct.pack("<i", 50_300)), CRASH, "killed by SIG"),
    "odd tensor name": ("whisper_cpp", lambda folder: ggml(folder, LAYOUT.names[5] + 2, b"Z"),
                        CRASH, "killed by SIG"),
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrialRecord]:
    """Each model in a worker of its own."""
    root = tmp_path_factory.mktemp("models")
    specs = {
        name: spec_of(provider, small_corpus, model=str(spoil(root / str(number))))
        for number, (name, (provider, spoil, _, _)) in enumerate(CASES.items())
    }
    records = run_of(list(specs.values()), root / "journal.jsonl")
    by_key = {record.started.key: record for record in records}
    return {name: by_key[spec.key] for name, spec in specs.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_nonsense_ends_in_a_status_that_says_why(name: str, ended: dict[str, TrialRecord]) -> None:
    _, _, status, says = CASES[name]
    trial_ended = ended[name].ended
    assert trial_ended is not None
    assert trial_ended.status is status, trial_ended.reason
    assert says in trial_ended.reason
