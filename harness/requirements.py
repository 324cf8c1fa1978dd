"""What a provider needs from a machine, whether it is there, and the command that gets it."""

import importlib.util
import shlex
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path


class Requirement(ABC):
    """One thing that has to be on the machine."""

    @abstractmethod
    def missing(self) -> str | None:
        """What is missing, in words; None when it is there."""

    @abstractmethod
    def remedy(self) -> str:
        """The command, or the step, that gets it."""


@dataclass(frozen=True)
class Package(Requirement):
    """An importable package, installed by one of this project's extras.

    >>> Package("json", extra="nothing").missing() is None
    True
    >>> Package("no_such_engine", extra="engine").missing()
    'the Python package no_such_engine'
    """

    module: str
    extra: str

    def missing(self) -> str | None:
        """Look for the package without importing it."""
        found = importlib.util.find_spec(self.module) is not None
        return None if found else f"the Python package {self.module}"

    def remedy(self) -> str:
        """The pip command for this very interpreter."""
        python = Path(sys.executable)
        if python.is_relative_to(Path.cwd()):
            python = python.relative_to(Path.cwd())
        return f"{shlex.quote(str(python))} -m pip install -e '.[{self.extra}]'"
