"""The exceptions for users' mistakes, bad files and failing providers.

EchobenchError
├── UsageError            an option, a name or a value that can't be used
│   ├── UnknownNameError  an unknown name; suggests the nearest known one
│   └── DataFileError     a scenario, threshold or manifest file with wrong content
├── AudioError            audio that can't be decoded: NaN, odd bytes, wrong rate, empty
├── ModelError            a model file that is missing, truncated or of another kind
├── UnavailableError      a provider that lacks a package, a binary, a key or a platform
├── ProviderError         a provider that broke its contract or failed while running
│   ├── BadOutputError    its output doesn't have the contract's form
│   └── StalledError      it has audio but makes no progress
└── JournalError          a run folder that can't be written or read

Errors that only one folder raises and catches are defined there:

ProviderError
├── BrokenRuleError       harness.activities.conformance.rig: a rule of the contract was broken
└── ServiceFailureError   providers.services.failures: a network service failed
EchobenchError
├── WorkerFailedError     harness.runner.supervisor: a worker or its trial failed
├── RefusalError          harness.live.protocol.close_codes: a live client broke the protocol
├── ShortRunError         reports.gating.measure: a run of a revision gave no figures
├── CannotJudgeError      reports.gating.gate: two revisions can't be compared
└── SynthesisError        corpora.synthesis.espeak: espeak-ng is missing or failed
DataFileError
└── UnfitAlignmentError   corpora.recordings.word_times: word times that don't fit the sound

Every message says where, what was given, and what is allowed.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Self


class EchobenchError(Exception):
    """Base of all errors that echobench raises on purpose.

    Args:
        where: What was being read or done: a file and key, an option, a provider and source.
        problem: What was given and why it can't be used.
        allowed: What would be accepted, or the command that solves the problem.

    >>> str(AudioError("chunk 3", "7 bytes", "whole 16-bit samples, so an even number"))
    'chunk 3: 7 bytes; allowed: whole 16-bit samples, so an even number'
    """

    def __init__(self, where: str, problem: str, allowed: str | None = None) -> None:
        self.where, self.problem, self.allowed = where, problem, allowed
        super().__init__(f"{where}: {problem}" + (f"; allowed: {allowed}" if allowed else ""))


class UsageError(EchobenchError):
    """An option, a name or a value that can't be used."""


class UnknownNameError(UsageError):
    """An unknown name; the message suggests the nearest known one.

    >>> str(UnknownNameError("--provider", "wisper_cpp", ["whisper_cpp", "faster_whisper"]))
    "--provider: no 'wisper_cpp', did you mean 'whisper_cpp'?; allowed: faster_whisper, whisper_cpp"
    """

    def __init__(self, where: str, given: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(given, known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        super().__init__(where, f"no {given!r}{hint}", ", ".join(known) or "nothing is registered")


class DataFileError(UsageError):
    """A scenario, threshold or manifest file with wrong content."""


class AudioError(EchobenchError):
    """Audio that can't be used."""


class ModelError(EchobenchError):
    """A model file that is missing, truncated or of another kind than expected."""


class UnavailableError(EchobenchError):
    """A provider whose requirements aren't met; `allowed` is the command that installs them."""


class ProviderError(EchobenchError):
    """A provider that broke its contract or failed while running."""


class JournalError(EchobenchError):
    """A run folder that can't be written or read."""

    @classmethod
    def unwritable(cls, path: Path, error: OSError) -> Self:
        """Make the error of a file or folder that can't be written.

        >>> print(JournalError.unwritable(Path("runs"), OSError(28, "No space left on device")))
        runs: can't be written (No space left on device); allowed: a folder with room and rights
        """
        problem = f"can't be written ({error.strerror})"
        return cls(str(path), problem, "a folder with room and rights")


class BadOutputError(ProviderError):
    """A provider whose output doesn't have the contract's form."""


class StalledError(ProviderError):
    """A provider that has audio but makes no progress."""
