"""Every error that a user's mistake, a bad file or a bad provider can cause.

EchobenchError
├── UsageError            an option, a name or a value that can't be used
│   ├── UnknownNameError  a name that nothing has; suggests the nearest one
│   └── DataFileError     a scenario, threshold or manifest file that doesn't say what it must
├── AudioError            audio that can't be decoded: NaN, odd bytes, wrong rate, empty
├── ModelError            a model file that is missing, cut short or not what it claims
├── UnavailableError      a provider that lacks a package, a binary, a key or a platform
├── ProviderError         a provider that broke its contract or failed while running
│   ├── BadOutputError    it said something that the contract has no form for
│   └── StalledError      it has audio, and nothing moves
└── JournalError          a run folder that can't be written or read

Those that only one folder raises and catches stand there:

ProviderError
├── BrokenRuleError       harness.activities.conformance.rig: a rule of the contract was broken
└── ServiceFailureError   providers.services.failures: what went wrong with a service over a network
EchobenchError
├── WorkerFailedError     harness.runner.supervisor: a worker or its trial failed
├── RefusalError          harness.live.protocol.close_codes: a live client did what it must not
├── ShortRunError         reports.gating.measure: a run of a revision gave no figures
├── CannotJudgeError      reports.gating.gate: two revisions can't be held against each other
└── SynthesisError        corpora.synthesis.espeak: espeak-ng is missing, or refused

A message always says where, what was given, and what is allowed.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Self


class EchobenchError(Exception):
    """Base of all errors raised on purpose.

    Args:
        where: What was being read or done: a file and key, an option, a provider and source.
        problem: What was given and why it can't be used.
        allowed: What would be accepted, or the command that mends it.

    >>> str(AudioError("chunk 3", "7 bytes", "whole 16-bit samples, so an even number"))
    'chunk 3: 7 bytes; allowed: whole 16-bit samples, so an even number'
    """

    def __init__(self, where: str, problem: str, allowed: str | None = None) -> None:
        self.where, self.problem, self.allowed = where, problem, allowed
        super().__init__(f"{where}: {problem}" + (f"; allowed: {allowed}" if allowed else ""))


class UsageError(EchobenchError):
    """An option, a name or a value that can't be used."""


class UnknownNameError(UsageError):
    """A name that nothing has.

    >>> str(UnknownNameError("--provider", "wisper_cpp", ["whisper_cpp", "faster_whisper"]))
    "--provider: no 'wisper_cpp', did you mean 'whisper_cpp'?; allowed: faster_whisper, whisper_cpp"
    """

    def __init__(self, where: str, given: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(given, known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        super().__init__(where, f"no {given!r}{hint}", ", ".join(known) or "nothing is registered")


class DataFileError(UsageError):
    """A scenario, threshold or manifest file that doesn't say what it must."""


class AudioError(EchobenchError):
    """Audio that can't be used."""


class ModelError(EchobenchError):
    """A model file that is missing, cut short or not what it claims to be."""


class UnavailableError(EchobenchError):
    """A provider that lacks something; `allowed` is the command that gets it."""


class ProviderError(EchobenchError):
    """A provider that broke its contract or failed while running."""


class JournalError(EchobenchError):
    """A run folder that can't be written or read."""

    @classmethod
    def unwritable(cls, path: Path, error: OSError) -> Self:
        """The error of a file or folder that can't be written.

        >>> print(JournalError.unwritable(Path("runs"), OSError(28, "No space left on device")))
        runs: can't be written (No space left on device); allowed: a folder with room and rights
        """
        problem = f"can't be written ({error.strerror})"
        return cls(str(path), problem, "a folder with room and rights")


class BadOutputError(ProviderError):
    """A provider said something that the contract has no form for."""


class StalledError(ProviderError):
    """The provider has audio, and nothing moves."""
