"""Creates and opens the folder of a run: its journal, and `run.json`, which describes the run."""

import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from harness import text_normalizer
from harness.errors import JournalError, UsageError
from harness.journal.events import SCHEMA
from harness.machine.profile import MachineProfile, describe_machine
from harness.machine.recommendation import Recommendation, recommend
from harness.specs.options import Options
from harness.support.atomic_write import write_whole
from harness.support.git import revision

RUNS = Path("runs")
LATEST = "latest"


class Input(msgspec.Struct, frozen=True):
    """Path and hash of a model or corpus that figures depend on."""

    path: str
    bytes: int
    sha256: str


class _Schema(msgspec.Struct, frozen=True):
    schema: int


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `run.json`."""

    schema: int
    run_id: str
    started: str
    """UTC, ISO 8601."""
    finished: str | None = None
    """None while trials are missing."""
    command: list[str]
    options: Options
    machine: MachineProfile
    recommendation: Recommendation | None = None
    """The recommendation for this machine; None in runs from before there were any."""
    revision: str | None = None
    """The commit of this project, followed by "+" if files differed from it; None if unknown."""
    normalizer: str
    planned: list[str] = []
    """Names of the planned trials."""
    inputs: dict[str, Input] = {}
    """Models as "provider/model", and corpora by name."""


class RunFolder:
    """The folder of a run.

    Args:
        path: The folder.
        info: The content of its `run.json`.
    """

    def __init__(self, path: Path, info: RunInfo) -> None:
        self.path, self.info = path, info

    @property
    def journal(self) -> Path:
        """The path of the journal."""
        return self.path / "journal.jsonl"

    @classmethod
    def create(cls, root: Path, options: Options) -> "RunFolder":
        """Create the folder of a new run, and let `latest` point to it.

        Raises:
            JournalError: It can't be created.
        """
        now, machine = datetime.now(UTC), describe_machine()
        info = RunInfo(
            schema=SCHEMA,
            run_id=f"{now:%Y%m%d-%H%M%S}-{os.getpid() % 10_000:04}",
            started=now.isoformat(timespec="seconds"),
            command=command_line(),
            options=options,
            machine=machine,
            recommendation=recommend(machine),
            revision=revision(),
            normalizer=text_normalizer.VERSION,
        )
        folder = cls(root / info.run_id, info)
        try:
            folder.path.mkdir(parents=True)
            folder.save()
            link = root / f".{LATEST}-{info.run_id}"
            link.symlink_to(info.run_id, target_is_directory=True)
            link.replace(root / LATEST)
        except OSError as error:
            raise JournalError.unwritable(folder.path, error) from error
        return folder

    @classmethod
    def open(cls, root: Path, reference: str) -> "RunFolder":
        """Open the folder of an earlier run.

        Args:
            root: Where runs are.
            reference: A run's id, `latest`, or the path of a run's folder.

        Raises:
            UsageError: There is no such run, or it has another schema.
        """
        found = [
            path for path in (root / reference, Path(reference)) if (path / "run.json").is_file()
        ]
        if not found:
            known = sorted(path.parent.name for path in root.glob("*/run.json"))
            raise UsageError(f"run {reference}", "no such run", ", ".join(known) or "none in runs/")
        path = found[0].resolve()
        where = f"{path}/run.json"
        try:
            content = (path / "run.json").read_bytes()
            schema = msgspec.json.decode(content, type=_Schema).schema
            if schema != SCHEMA:
                raise UsageError(where, f"is of schema {schema}", f"schema {SCHEMA}")
            return cls(path, msgspec.json.decode(content, type=RunInfo))
        except msgspec.MsgspecError as error:
            raise UsageError(where, str(error), f"a run of schema {SCHEMA}") from error
        except OSError as error:
            raise UsageError(where, f"can't be read ({error.strerror})") from error

    def save(self) -> None:
        """Write `run.json` atomically."""
        text = msgspec.json.format(msgspec.json.encode(self.info), indent=2)
        write_whole(self.path / "run.json", text + b"\n")

    def begin(self, options: Options, planned: list[str], inputs: dict[str, Input]) -> None:
        """Record the planned trials and the models and corpora that they use.

        Raises:
            UsageError: A resumed run would continue with other models or corpora.
        """
        for name, given in inputs.items():
            before = self.info.inputs.get(name)
            if before is not None and before.sha256 != given.sha256:
                raise UsageError(
                    f"run {self.info.run_id}", f"{name} has changed since it began", "a new run"
                )
        self.info = msgspec.structs.replace(
            self.info,
            options=options,
            planned=list(dict.fromkeys([*self.info.planned, *planned])),
            inputs={**self.info.inputs, **inputs},
            finished=None,
        )
        self.save()

    def finish(self) -> None:
        """Record that everything was measured."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.info = msgspec.structs.replace(self.info, finished=now)
        self.save()


def command_line() -> list[str]:
    """The running command, as typed by a user."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return [name, *sys.argv[1:]]


def fingerprint(path: Path) -> Input:
    """Hash a file, or all files of a folder in the order of their names.

    >>> fingerprint(Path(os.devnull)).sha256[:8]
    'e3b0c442'
    """
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    digest, size = hashlib.sha256(), 0
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                size += len(block)
    return Input(str(path), size, digest.hexdigest())
