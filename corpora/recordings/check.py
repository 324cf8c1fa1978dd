"""Checks a whole corpus before anything is measured on it: its lines, its files, its samples."""

import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from corpora.recordings.problem import Problem
from corpora.recordings.reading import OwnCorpus, read_corpus
from corpora.recordings.recording import Recording
from corpora.recordings.sound import check_file
from harness.timeline.corpus import FEWEST_UTTERANCES


def check_manifest(path: Path) -> OwnCorpus:
    """Read a manifest and all sound that it names; its problems are the list of what is wrong.

    Raises:
        DataFileError: The manifest is missing, empty or not text.
    """
    corpus = read_corpus(path)
    by_file: dict[Path, list[Recording]] = defaultdict(list)
    for recording in corpus.recordings:
        by_file[recording.path].append(recording)
    # libsndfile decodes and numpy adds up without the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for problems in pool.map(check_file, by_file, by_file.values()):
            corpus.problems += problems
    corpus.problems += _of_the_whole(corpus)
    return corpus


def _of_the_whole(corpus: OwnCorpus) -> Iterator[Problem]:
    count = len(corpus.utterances)
    if count < FEWEST_UTTERANCES and not corpus.errors:
        what = f"holds {count} utterance{'s' if count > 1 else ''}"
        remedy = f"at least {FEWEST_UTTERANCES}, so that rules can be tried"
        yield Problem(None, str(corpus.path), what, remedy)
    languages = {recording.language.split("-")[0].split("_")[0].lower()
                 for recording in corpus.recordings if recording.language}  # fmt: skip
    if len(languages) > 1:
        what = f"holds several languages: {', '.join(sorted(languages))}"
        remedy = "a manifest per language: an engine is set to one for a whole run"
        yield Problem(None, str(corpus.path), what, remedy, is_warning=True)
