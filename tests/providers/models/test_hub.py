"""Fetching models by name: the real client of the hub, in a child process, and a hub of our own."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from jiwer import wer

from harness.errors import ModelError, UnavailableError
from harness.journal.events import SegmentArrived, Utterance
from harness.journal.journal import read_journal
from harness.specs.trial import TrialStatus
from harness.text_normalizer import tokens
from models import EMBEDDED
from providers.models import hub as weights
from providers.whisper.models import DISTILLED
from tests.providers.engines import ROOT
from tests.providers.hub import COMMIT, Faults, Hub, serving

GGML = EMBEDDED / "ggml-q8_0.bin"
CT2 = EMBEDDED / "ct2"
CODE = """
import sys
from harness.errors import EchobenchError
from harness.provider.choice import parse_provider
from harness.provider.registry import make_provider
for line in sys.stdin:
    provider, model = line.rstrip("\\n").split("\\t")
    try:
        print("at", make_provider(*parse_provider(provider)).locate_model(model), flush=True)
    except EchobenchError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
"""
NOWHERE = "http://127.0.0.1:9"


class Client:
    """A process with the hub's client in it, which reads its settings once and for all."""

    def __init__(self, hub: Hub, home: Path, **more: str) -> None:
        self.hub, self.home = hub, home
        self.process = python(hub, home, "-c", CODE, **more)

    def locate(self, provider: str, model: str) -> str:
        """What a provider says when it is asked for a model: "at" its path, or its one error."""
        self.ask(provider, model)
        return self.answer()

    def ask(self, provider: str, model: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{provider}\t{model}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        assert answer.startswith(("at ", "ModelError: ")), answer + self.process.stdout.read()
        assert len(answer) < 1000
        return answer.rstrip("\n")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def python(hub: Hub, home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **hub.environment(home), **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if "pytest" in arguments else subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    readme, other = Path(__file__), tmp_path_factory.mktemp("models") / "other.bin"
    other.write_bytes(GGML.read_bytes()[:-1] + b"\x55")
    faster_whisper = {"README.md": readme, **{path.name: path for path in CT2.iterdir()}}
    repositories = {
        "ggerganov/whisper.cpp": {
            "README.md": readme, "ggml-tiny.en.bin": GGML, "ggml-base.bin": other,
        },
        "Systran/faster-whisper-tiny.en": faster_whisper,
        "someone/mine": faster_whisper,
        "someone/other-format": {"README.md": readme, "pytorch_model.bin": GGML},
        **{model.ct2_repository: faster_whisper for model in DISTILLED.values()},
        **{model.ggml_repository: {model.ggml_file: GGML, "ggml-other.bin": other}
           for model in DISTILLED.values()},
    }  # fmt: skip
    with serving(Hub(repositories)) as hub:
        yield hub


@pytest.fixture(scope="module")
def long_lived(served: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(served, tmp_path_factory.mktemp("home"))
    yield client
    client.close()


@pytest.fixture(scope="module", autouse=True)
def silent(served: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client that has asked a hub which never answers; giving up takes as long as these tests."""
    with serving(Hub(served.repositories, Faults(stall_after=0))) as hub:
        client = Client(hub, tmp_path_factory.mktemp("home"))
        client.ask("whisper_cpp", "tiny.en")
        yield client
        client.close()


@pytest.fixture
def hub(served: Hub) -> Hub:
    """A hub without faults that nobody has asked for anything."""
    served.faults = Faults()
    served.asked.clear()
    return served


@pytest.fixture
def client(hub: Hub, long_lived: Client) -> Client:
    """The client, with an empty cache."""
    shutil.rmtree(long_lived.home)
    long_lived.home.mkdir()
    return long_lived


def path_in(answer: str) -> Path:
    assert answer.startswith("at "), answer
    return Path(answer.removeprefix("at "))


def refused(answer: str, *words: str) -> None:
    assert answer.startswith("ModelError: "), answer
    assert "; allowed: " in answer
    for word in words:
        assert word in answer


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "words"),
    [({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"), ({"HF_ENDPOINT": NOWHERE}, "refused")],
)
def test_offline_and_not_cached_is_one_clear_error(
    hub: Hub, tmp_path: Path, more: dict[str, str], words: str
) -> None:
    with closing(Client(hub, tmp_path, **more)) as client:
        refused(client.locate("whisper_cpp", "tiny.en"), "ggerganov", "not fetched", words)
    assert hub.asked == []


@pytest.mark.parametrize("status", [401, 403, 404, 418])
def test_a_hub_that_refuses_is_quoted(hub: Hub, client: Client, status: int) -> None:
    hub.faults = Faults(status=status)
    refused(client.locate("whisper_cpp", "tiny.en"), str(status))


def test_a_repository_that_is_not_there_is_named(hub: Hub, client: Client) -> None:
    answer = client.locate("faster_whisper", "someone/nothing")
    refused(answer, "someone/nothing: ", "lets you read")


def test_a_repository_without_the_file_is_named(hub: Hub, client: Client) -> None:
    answer = client.locate("faster_whisper", "someone/other-format")
    refused(answer, "someone/other-format: has no config.json")
    refused(client.locate("whisper_cpp", "small"), "has no ggml-small.bin")


@pytest.mark.parametrize("name", ["a/b/c", "someone/", "some one/mine", "x/" + "y" * 200])
def test_what_can_be_no_repository_is_refused(hub: Hub, client: Client, name: str) -> None:
    refused(client.locate("faster_whisper", name), name)
    assert hub.asked == []


def test_a_page_instead_of_an_answer_is_an_error(hub: Hub, client: Client) -> None:
    hub.faults = Faults(page=b"<html>Please log in to the hotel's network</html>")
    refused(client.locate("whisper_cpp", "tiny.en"), "not fetched")


@pytest.mark.slow
def test_a_broken_connection_is_tried_again(hub: Hub, client: Client) -> None:
    hub.faults = Faults(cut_after=1_000_000)
    path = path_in(client.locate("whisper_cpp", "tiny.en"))
    assert path.read_bytes() == GGML.read_bytes()
    assert len([line for line in hub.asked if "GET" in line and "resolve" in line]) == 2


@pytest.mark.slow
def test_a_fetch_that_was_killed_leaves_nothing_that_looks_whole(hub: Hub, client: Client) -> None:
    hub.faults = Faults(slow_s=0.1)
    child = Client(hub, client.home)
    child.ask("whisper_cpp", "tiny.en")
    until_s = time.monotonic() + 30
    while not hub.files_asked_for() and time.monotonic() < until_s:
        time.sleep(0.05)
    child.close()
    assert hub.files_asked_for() == {"ggml-tiny.en.bin"}
    assert not [path for path in client.home.rglob("ggml-tiny.en.bin") if path.exists()]
    hub.faults = Faults()
    path = path_in(client.locate("whisper_cpp", "tiny.en"))
    assert path.read_bytes() == GGML.read_bytes()


@pytest.mark.parametrize("claimed", [GGML.stat().st_size + 1, 1000, 10**13])
def test_a_file_that_is_not_as_long_as_claimed_is_refused(
    hub: Hub, client: Client, claimed: int
) -> None:
    hub.faults = Faults(claimed_size=claimed)
    refused(client.locate("whisper_cpp", "tiny.en"), "not fetched")


def test_a_file_that_arrives_damaged_can_be_replaced(hub: Hub, client: Client) -> None:
    """A single wrong byte among the weights, which nothing but the hash can see."""
    hub.faults = Faults(flip_byte=GGML.stat().st_size - 1000)
    answer = client.locate("whisper_cpp", "tiny.en")
    refused(answer, "SHA-256", hashlib.sha256(GGML.read_bytes()).hexdigest())
    named = re.search(r"delete (\S+) and fetch", answer)
    assert named is not None
    refused(client.locate("whisper_cpp", "tiny.en"), "SHA-256")
    Path(named[1]).unlink()
    hub.faults = Faults()
    assert path_in(client.locate("whisper_cpp", "tiny.en")).read_bytes() == GGML.read_bytes()


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


def test_without_the_client_the_command_for_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UnavailableError) as caught:
        weights.fetch("someone/mine", ["model.bin"])
    assert "pip install" in str(caught.value)


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


@pytest.mark.slow
def test_a_silent_hub_is_given_up(silent: Client) -> None:
    """The client tries a few times; it waits a second each here, and ten by itself."""
    refused(silent.answer(), "not fetched")
