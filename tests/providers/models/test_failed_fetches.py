"""Fetches that fail: offline, refused, cut off or damaged; one clear error for each cause."""

import hashlib
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.errors import UnavailableError
from providers.models import hub as weights
from tests.providers.hub import Faults, Hub, serving
from tests.providers.models.hub_client import GGML, NOWHERE, Client, path_in, refused


@pytest.fixture(scope="module", autouse=True)
def silent(served: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client that has asked a hub which never answers; giving up takes as long as these tests."""
    with serving(Hub(served.repositories, Faults(stall_after=0))) as hub:
        client = Client(hub, tmp_path_factory.mktemp("home"))
        client.ask("whisper_cpp", "tiny.en")
        yield client
        client.close()


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
    refused(answer, "someone/nothing: ", "that you may read")


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


def test_without_the_client_the_command_for_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UnavailableError) as caught:
        weights.fetch("someone/mine", ["model.bin"])
    assert "pip install" in str(caught.value)


@pytest.mark.slow
def test_a_silent_hub_is_given_up(silent: Client) -> None:
    """The client tries a few times; it waits a second each here, and ten by itself."""
    refused(silent.answer(), "not fetched")
