"""A corpus folder with sound in it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.corpora.manifests import SECOND


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus folder with two seconds of sound, and another file beside the folder."""
    corpus = tmp_path / "corpus"
    (corpus / "sub").mkdir(parents=True)
    ramp = np.arange(2 * SECOND, dtype=np.int16)
    for path in (corpus / "a.wav", corpus / "sub" / "a.wav", tmp_path / "outside.wav"):
        soundfile.write(path, ramp, SECOND)
    return corpus
