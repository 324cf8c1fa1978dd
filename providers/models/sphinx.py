"""Runs PocketSphinx's decoders in a child process, and checks its model files."""

from pathlib import Path
from typing import Any

from harness.errors import ModelError

ACOUSTIC_FILES = ("mdef", "means", "variances", "transition_matrices", "feat.params")
MIXTURES = ("sendump", "mixture_weights")
DICTIONARIES, LANGUAGE_MODELS = ("*.dict", "*.dic"), ("*.lm.bin", "*.lm", "*.lm.gz", "*.dmp")
ALLOWED = f"""a folder with {", ".join(ACOUSTIC_FILES)} and {" or ".join(MIXTURES)} (also in one
folder inside), {" or ".join(DICTIONARIES)}, and {" or ".join(LANGUAGE_MODELS)}""".replace(
    "\n", " "
)

OF_PHONES = "*phone.lm*"
"""The model's folder also holds a language model of phones."""
FRAMES_PER_S = 100
QUICK: dict[str, Any] = {"maxhmmpf": 3000, "fwdflat": False, "bestpath": False}
"""Options for partials: half the work of the default, and a few more wrong words."""

WordTimes = tuple[str, float, float]


def model_files(folder: Path) -> dict[str, str]:
    """Find a model's parts in its folder.

    Returns:
        Paths by PocketSphinx's option names.

    Raises:
        ModelError: A part is missing or empty.
    """
    if not folder.is_dir():
        raise ModelError(str(folder), "no such folder", ALLOWED)
    inside = sorted(path for path in folder.iterdir() if (path / ACOUSTIC_FILES[0]).is_file())
    acoustic = next(iter(inside), folder)
    for names in (*((name,) for name in ACOUSTIC_FILES), MIXTURES):
        _found(acoustic, names)
    return {
        "hmm": str(acoustic),
        "dict": _found(folder, DICTIONARIES),
        "lm": _found(folder, LANGUAGE_MODELS),
    }


def _found(folder: Path, names: tuple[str, ...]) -> str:
    paths = [path for name in names for path in sorted(folder.glob(name))
             if not path.match(OF_PHONES)]  # fmt: skip
    if not paths:
        raise ModelError(str(folder), f"has no {' or '.join(names)}", ALLOWED)
    if not paths[0].stat().st_size:
        raise ModelError(str(paths[0]), "is empty", "the file as published")
    return str(paths[0])


class Sphinx:
    """Two decoders: a quick one for partials, and a thorough one that decodes whole utterances.

    Args:
        files: See `model_files`.
    """

    def __init__(self, files: dict[str, str]) -> None:
        from pocketsphinx import Decoder

        common = {"samprate": 16_000.0, "loglevel": "FATAL", **files}
        self._quick, self._thorough = Decoder(**common, **QUICK), Decoder(**common)
        self._pcm = b""

    def begin(self) -> None:
        """Reset the state for another stream."""
        self._stop()
        self._quick.reinit_feat()

    def decode_partial(self, pcm: bytes) -> list[WordTimes]:
        """Take more of an utterance, 16-bit PCM, and return the words of all of it so far."""
        if not self._pcm:
            self._quick.start_utt()
        self._pcm += pcm
        self._quick.process_raw(pcm)
        return _words(self._quick)

    def decode_final(self) -> list[WordTimes]:
        """Decode the utterance as a whole.

        Cepstral means are subtracted. The quick decoder can't wait for the means of the whole
        utterance, so for the next one it uses those of this one.
        """
        pcm = self._pcm
        self._stop()
        self._thorough.reinit_feat()  # discards samples left from the utterance before
        self._thorough.start_utt()
        self._thorough.process_raw(pcm, full_utt=True)
        self._thorough.end_utt()
        self._quick.set_cmn(self._thorough.get_cmn())
        return _words(self._thorough)

    def _stop(self) -> None:
        if self._pcm:
            self._quick.end_utt()
        self._pcm = b""


def _words(decoder: Any) -> list[WordTimes]:
    """Return the words of its best hypothesis, in seconds from the utterance's beginning."""
    return [
        (
            part.word.partition("(")[0],
            part.start_frame / FRAMES_PER_S,
            (part.end_frame + 1) / FRAMES_PER_S,
        )
        for part in decoder.seg() or ()
        if part.word[0] not in "<[+"  # silence and noises; "the(2)" is a pronunciation of "the"
    ]
