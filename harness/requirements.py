"""Requirements of providers on a machine: how to check and how to install each."""

import importlib.util
import os
import platform
import shlex
import shutil
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


class Requirement(ABC):
    """Base of requirements: something that a provider needs on the machine."""

    for_default_model: ClassVar[bool] = False
    """Whether only the provider's default model needs it."""

    @abstractmethod
    def missing(self) -> str | None:
        """Describe what is missing; None when the requirement is met."""

    @abstractmethod
    def remedy(self) -> str:
        """The command, or the step, that meets the requirement."""


@dataclass(frozen=True)
class Package(Requirement):
    """An importable Python package, installed by one of this project's extras.

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
        """The pip command of the running interpreter."""
        python = Path(sys.executable)
        if python.is_relative_to(Path.cwd()):
            python = python.relative_to(Path.cwd())
        return f"{shlex.quote(str(python))} -m pip install 'echobench[{self.extra}]'"


@dataclass(frozen=True)
class Program(Requirement):
    """An executable, found by an option, by an environment variable, or on PATH.

    >>> Program("sh", variable="NO_SUCH_VARIABLE", how_to_get="").missing() is None
    True
    """

    name: str
    variable: str
    """The environment variable that may hold its path."""
    how_to_get: str
    """The command, or the page, that it comes from."""
    given: str | None = None
    """Its path by the provider's own option, which overrides the variable."""

    def path(self) -> str | None:
        """Its path; None when it can't be run."""
        return shutil.which(self.given or os.environ.get(self.variable) or self.name)

    def missing(self) -> str | None:
        """Look for an executable file."""
        if self.path() is not None:
            return None
        asked = self.given or os.environ.get(self.variable)
        return f"the program {asked or self.name}"

    def remedy(self) -> str:
        """Where it comes from, and the variable for its path."""
        return f"{self.how_to_get}; its path in {self.variable}, or on PATH"


@dataclass(frozen=True)
class ModelFolder(Requirement):
    """A model that the user has to provide, at the path in an option or environment variable.

    >>> ModelFolder("weights", variable="NO_SUCH_VARIABLE", how_to_get="").missing()
    'a folder with weights'
    >>> ModelFolder("weights", variable="NO_SUCH_VARIABLE", how_to_get="", given=".").missing()
    """

    for_default_model = True

    what: str
    variable: str
    """The environment variable that may hold its path."""
    how_to_get: str
    """The command, or the page, that it comes from."""
    given: str | None = None
    """Its path by the provider's own option, which overrides the variable."""

    def path(self) -> Path | None:
        """Its expected path; None when none was given."""
        asked = self.given or os.environ.get(self.variable)
        return Path(asked).expanduser() if asked else None

    def missing(self) -> str | None:
        """Look for the folder; its content isn't checked."""
        path = self.path()
        if path is None:
            return f"a folder with {self.what}"
        return None if path.is_dir() else f"the folder {path}"

    def remedy(self) -> str:
        """Where it comes from, and the ways to give its path."""
        return f"{self.how_to_get}; its path in {self.variable}, or by --model"


@dataclass(frozen=True)
class ModelName(Requirement):
    """A model that is downloaded by name, and so has to be named.

    >>> need = ModelName("a large model", example="large-v3")
    >>> need.missing(), need.remedy()
    ('a large model: none is fetched unasked', '--model large-v3')
    """

    for_default_model = True

    what: str
    example: str

    def missing(self) -> str:
        """Always missing, since it is asked only where no model was named."""
        return f"{self.what}: none is fetched unasked"

    def remedy(self) -> str:
        """The option that names a model."""
        return f"--model {self.example}"


@dataclass(frozen=True)
class SecretKey(Requirement):
    """A secret key in an environment variable; its value is never shown.

    >>> SecretKey("NO_SUCH_KEY").missing()
    'a key in NO_SUCH_KEY'
    """

    variable: str

    def missing(self) -> str | None:
        """Check that the variable is set."""
        return None if os.environ.get(self.variable, "").strip() else f"a key in {self.variable}"

    def remedy(self) -> str:
        """The shell command that sets it."""
        return f"export {self.variable}=…"


@dataclass(frozen=True)
class Platform(Requirement):
    """A system and architecture, as `platform.system()` and `platform.machine()` name them.

    >>> Platform(platform.system(), platform.machine()).missing() is None
    True
    """

    system: str
    machine: str

    def missing(self) -> str | None:
        """Compare with this machine."""
        here = (platform.system(), platform.machine())
        return None if here == (self.system, self.machine) else f"{self.system} on {self.machine}"

    def remedy(self) -> str:
        """Another machine, since nothing can be installed."""
        return "another machine"
