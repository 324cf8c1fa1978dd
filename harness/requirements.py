"""What a provider needs from a machine, whether it is there, and the command that gets it."""

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
    """One thing that has to be on the machine."""

    for_default_model: ClassVar[bool] = False
    """Whether it is only needed by those who name no other model."""

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
        return f"{shlex.quote(str(python))} -m pip install 'echobench[{self.extra}]'"


@dataclass(frozen=True)
class Program(Requirement):
    """An executable that isn't Python: where an option or an environment variable says, or on PATH.

    >>> Program("sh", variable="NO_SUCH_VARIABLE", how_to_get="").missing() is None
    True
    """

    name: str
    variable: str
    """The environment variable that may hold its path."""
    how_to_get: str
    """The command, or the page, that it comes from."""
    given: str | None = None
    """Its path by the provider's own option, which goes before the variable."""

    def path(self) -> str | None:
        """Where it is; None when it can't be run."""
        return shutil.which(self.given or os.environ.get(self.variable) or self.name)

    def missing(self) -> str | None:
        """Look for a file that may be executed."""
        if self.path() is not None:
            return None
        asked = self.given or os.environ.get(self.variable)
        return f"the program {asked or self.name}"

    def remedy(self) -> str:
        """Where it comes from, and the variable that says where it went."""
        return f"{self.how_to_get}; its path in {self.variable}, or on PATH"


@dataclass(frozen=True)
class ModelFolder(Requirement):
    """A model that nothing fetches: where an option or an environment variable says.

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
    """Its path by the provider's own option, which goes before the variable."""

    def path(self) -> Path | None:
        """Where it should be; None when nothing says."""
        asked = self.given or os.environ.get(self.variable)
        return Path(asked).expanduser() if asked else None

    def missing(self) -> str | None:
        """Look for the folder, and not into it."""
        path = self.path()
        if path is None:
            return f"a folder with {self.what}"
        return None if path.is_dir() else f"the folder {path}"

    def remedy(self) -> str:
        """Where it comes from, and the variable that says where it went."""
        return f"{self.how_to_get}; its path in {self.variable}, or by --model"


@dataclass(frozen=True)
class ModelName(Requirement):
    """A model that is fetched by its name, and so not before it is named.

    >>> need = ModelName("a large model", example="large-v3")
    >>> need.missing(), need.remedy()
    ('a large model: none is fetched unasked', '--model large-v3')
    """

    for_default_model = True

    what: str
    example: str

    def missing(self) -> str:
        """Always, until one is named."""
        return f"{self.what}: none is fetched unasked"

    def remedy(self) -> str:
        """How to name one."""
        return f"--model {self.example}"


@dataclass(frozen=True)
class SecretKey(Requirement):
    """A key in an environment variable; its value is never shown.

    >>> SecretKey("NO_SUCH_KEY").missing()
    'a key in NO_SUCH_KEY'
    """

    variable: str

    def missing(self) -> str | None:
        """Tell whether the variable is set."""
        return None if os.environ.get(self.variable, "").strip() else f"a key in {self.variable}"

    def remedy(self) -> str:
        """How to set it."""
        return f"export {self.variable}=…"


@dataclass(frozen=True)
class Platform(Requirement):
    """A kind of machine, as `platform.system()` and `platform.machine()` name it.

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
        """Nothing gets one machine to be another."""
        return "another machine"
