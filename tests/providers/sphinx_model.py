"""PocketSphinx' own acoustic model with the words of the embedded corpus only: a tenth of the work.

The real files are in its package; the dictionary and the language model are cut down here.
"""

import importlib.util
import math
from pathlib import Path

from corpora.synthesis.vocabulary import WORDS


def packaged() -> Path:
    """The folder of the model in the package."""
    spec = importlib.util.find_spec("pocketsphinx")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model" / "en-us"


def write_model(folder: Path) -> Path:
    """Write a model's folder; all words are equally likely."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acoustic").symlink_to(packaged() / "en-us")
    lines = (packaged() / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
    known = [line for line in lines if line.split()[0].partition("(")[0] in WORDS]
    (folder / "words.dict").write_text("\n".join(known) + "\n", encoding="utf-8")
    each = f"{math.log10(1 / (len(WORDS) + 1)):.4f}"
    grams = [f"{each} </s>", "-99 <s>", *(f"{each} {word}" for word in WORDS)]
    model = ["\\data\\", f"ngram 1={len(grams)}", "", "\\1-grams:", *grams, "", "\\end\\", ""]
    (folder / "words.lm").write_text("\n".join(model), encoding="utf-8")
    return folder
