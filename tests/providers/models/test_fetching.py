"""Fetching models by name: each file once, for each engine, and what the cache holds later."""

import hashlib
import json
import re
from contextlib import closing
from pathlib import Path

import pytest
from jiwer import wer

from harness.errors import ModelError
from harness.journal.events import SegmentArrived, Utterance
from harness.journal.journal import read_journal
from harness.specs.trial import TrialStatus
from harness.text_normalizer import tokens
from providers.models import hub as weights
from providers.whisper.models import DISTILLED
from tests.providers.hub import COMMIT, Hub
from tests.providers.models.hub_client import CT2, GGML, NOWHERE, Client, path_in, python, refused


@pytest.mark.slow
def test_one_file_is_fetched_once(hub: Hub, client: Client) -> None:
    """The first time over the network; then from the cache, also when the hub is gone."""
    first = path_in(client.locate("whisper_cpp", "tiny.en"))
    assert first.name == "ggml-tiny.en.bin"
    assert first.read_bytes() == GGML.read_bytes()
    assert hub.files_asked_for() == {"ggml-tiny.en.bin"}
    asked = len(hub.asked)
    assert path_in(client.locate("whisper_cpp", "tiny.en")) == first
    assert len(hub.asked) == asked
    for more in ({"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": NOWHERE}):
        with closing(Client(hub, client.home, **more)) as other:
            assert path_in(other.locate("whisper_cpp", "tiny.en")) == first


def test_a_second_model_of_a_repository_is_fetched_too(hub: Hub, client: Client) -> None:
    client.locate("whisper_cpp", "tiny.en")
    assert path_in(client.locate("whisper_cpp", "base")).name == "ggml-base.bin"
    assert hub.files_asked_for() == {"ggml-tiny.en.bin", "ggml-base.bin"}


@pytest.mark.parametrize("model", ["tiny.en", "someone/mine"])
def test_a_folder_is_fetched_once(hub: Hub, client: Client, model: str) -> None:
    folder = path_in(client.locate("faster_whisper", model))
    assert {path.name for path in folder.iterdir()} == {path.name for path in CT2.iterdir()}
    asked = len(hub.asked)
    assert path_in(client.locate("faster_whisper", model)) == folder
    assert len(hub.asked) == asked


@pytest.mark.slow
@pytest.mark.parametrize("model", DISTILLED)
def test_a_distilled_model_is_fetched_for_either_engine(
    hub: Hub, client: Client, model: str
) -> None:
    """From where each is published; the engine's own provider finds the same."""
    file = path_in(client.locate("distil_whisper", model))
    assert file.name == DISTILLED[model].ggml_file
    assert hub.files_asked_for() == {file.name}
    folder = path_in(client.locate("distil_whisper:engine=faster_whisper", model))
    assert {path.name for path in folder.iterdir()} == {path.name for path in CT2.iterdir()}
    assert path_in(client.locate("whisper_cpp", model)) == file
    assert path_in(client.locate("faster_whisper", model)) == folder


def test_a_cached_file_that_has_changed_is_found(hub: Hub, client: Client) -> None:
    path = path_in(client.locate("faster_whisper", "tiny.en")) / "model.bin"
    content = bytearray(path.read_bytes())
    content[-2000] ^= 1
    path.resolve().write_bytes(content)
    refused(client.locate("faster_whisper", "tiny.en"), str(path), "SHA-256")


def test_a_cache_that_was_tidied_up_is_filled_again(hub: Hub, client: Client) -> None:
    """Its links may lead nowhere."""
    path = path_in(client.locate("faster_whisper", "tiny.en")) / "model.bin"
    path.resolve().unlink()
    assert path_in(client.locate("faster_whisper", "tiny.en")) == path.parent
    assert path.read_bytes() == (CT2 / "model.bin").read_bytes()


def test_a_blob_may_itself_be_a_link(tmp_path: Path) -> None:
    """The client keeps a large file once for all repositories, named by a hash of another kind."""
    digest = hashlib.sha256(GGML.read_bytes()).hexdigest()
    shared, blob, pointer = (tmp_path / name for name in ("e" * 64, digest, "ggml-tiny.en.bin"))
    shared.write_bytes(GGML.read_bytes())
    blob.symlink_to(shared.name)
    pointer.symlink_to(blob.name)
    weights.check_hashes([pointer])
    shared.write_bytes(b"something else")
    with pytest.raises(ModelError, match=re.escape(str(shared))):
        weights.check_hashes([pointer])


def test_files_of_the_users_own_are_not_compared(tmp_path: Path) -> None:
    (tmp_path / "mine.bin").write_bytes(b"anything")
    (tmp_path / "link.bin").symlink_to("mine.bin")
    weights.check_hashes([tmp_path / "mine.bin", tmp_path / "link.bin", tmp_path / "none"])


@pytest.mark.slow
def test_the_command_line_measures_a_fetched_model(hub: Hub, tmp_path: Path) -> None:
    """`--model tiny.en`, from an empty cache to words in the journal."""
    child = python(
        hub, tmp_path / "home", "-m", "pytest", "suites/test_accuracy.py", "-q", "--scenario", "A",
        "-p", "no:cacheprovider", "--provider", "whisper_cpp", "--model", "tiny.en",
        "--duration", "8", "--runs-dir", str(tmp_path / "runs"),
    )  # fmt: skip
    output, _ = child.communicate(timeout=100)
    (journal,) = tmp_path.glob("runs/2*/journal.jsonl")
    run = json.loads((journal.parent / "run.json").read_text())
    model = run["inputs"]["whisper_cpp/tiny.en"]
    assert COMMIT in model["path"]
    assert model["sha256"] == hashlib.sha256(GGML.read_bytes()).hexdigest()
    (record,) = read_journal(journal)
    assert record.ended is not None, output
    assert record.ended.status is TrialStatus.OK, output
    spoken = [event.text for event in record.events if isinstance(event, Utterance)]
    said = [event.segment.text for event in record.events
            if isinstance(event, SegmentArrived) and event.segment.is_final]  # fmt: skip
    assert wer(" ".join(spoken), " ".join(tokens(" ".join(said)))) < 0.3
