"""Finds the files that a manifest names."""

from pathlib import Path

from harness.errors import DataFileError
from harness.support.data_file import reason


class Files:
    """Finds files by the names in a manifest; keeps what it found, as lines often share files.

    A relative path has to stay inside the manifest's folder: a corpus from elsewhere must not reach
    for what lies beside it. An absolute path is taken as it is. NeMo's tools write such paths for
    the machine they run on, so they name what the user, who ran them, has chosen; the author of a
    corpus for others can't know what lies where on the user's machine.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._parents: dict[Path, Path] = {}
        self._files: dict[str, Path] = {}
        self._names: dict[Path, dict[str, Path]] = {}

    def find(self, name: str, field: str) -> Path:
        """Find a file.

        Raises:
            DataFileError: There is none, or the path leaves the folder.
        """
        if name not in self._files:
            given = f"{field} {name!r:.300}"
            try:
                path = self._resolved(name)
                is_file = path.is_file()
            except (OSError, ValueError, RuntimeError) as error:  # too long, or links in a circle
                problem = f"{given}: {reason(error)}"
                raise DataFileError("", problem, "a file that exists") from error
            if not Path(name).is_absolute() and not path.is_relative_to(self.folder):
                allowed = "an absolute path, or one relative to the manifest and inside its folder"
                raise DataFileError("", given, allowed)
            if not is_file:
                raise DataFileError("", f"{given}: no such file", "a file that exists")
            self._files[name] = path
        return self._files[name]

    def beside(self, path: Path, suffix: str) -> Path | None:
        """Find the file with another suffix beside a file, or beside the manifest."""
        name = f"{path.stem}{suffix}".lower()
        places = dict.fromkeys((path.parent, self.folder))
        return next((found for place in places if (found := self._listed(place).get(name))), None)

    def name_of(self, path: Path) -> str:
        """A name for what is in a file: its path inside the folder, else all of it; no suffix."""
        inside = path.is_relative_to(self.folder)
        return str((path.relative_to(self.folder) if inside else path).with_suffix(""))

    def _resolved(self, name: str) -> Path:
        path = self.folder / name
        if path.parent not in self._parents:
            self._parents[path.parent] = path.parent.resolve()
        path = self._parents[path.parent] / path.name
        return path.resolve() if path.is_symlink() or path.name == ".." else path

    def _listed(self, folder: Path) -> dict[str, Path]:
        if folder not in self._names:
            self._names[folder] = {path.name.lower(): path for path in folder.iterdir()}
        return self._names[folder]
