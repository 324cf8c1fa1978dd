"""A hub of our own that serves models, and a client of it with an empty cache."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.whisper.models import DISTILLED
from tests.providers.hub import Faults, Hub, serving
from tests.providers.models.hub_client import CT2, GGML, Client


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
