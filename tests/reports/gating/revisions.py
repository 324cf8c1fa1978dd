"""Revisions whose runs cost what a test says: folders in which `python -m pytest` leaves a run.

The process, the run's folder and its journal are real; only the measuring was done beforehand.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.journal.run_folder import Input
from harness.specs.trial import TrialSpec, TrialStatus
from reports.gating.worktrees import Tree
from tests.reports.journals import OK, ended, make_spec, played, write_run

PYTEST = """
import json, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
runs = pathlib.Path(sys.argv[sys.argv.index("--runs-dir") + 1])
order = json.loads((here / "order.json").read_text())
name = order.pop(0) if len(order) > 1 else order[0]
(here / "order.json").write_text(json.dumps(order))
if name.startswith("exit "):
    print("something went wrong")
    sys.exit(int(name[5:]))
shutil.copytree(here / name, runs / "run")
(runs / "latest").symlink_to("run")
"""
SAID = [("one two three", "one two three")]
SPEC = make_spec(chunk_s=1.0, duration_s=60.0)


class Revision:
    """A made-up revision; `will` says what its next runs are, and the last goes on for ever."""

    def __init__(self, folder: Path, commit: str) -> None:
        folder.mkdir()
        (folder / "pytest.py").write_text(PYTEST)
        self.tree = Tree(commit * 20, folder, sys.executable)

    def run_of(
        self,
        name: str,
        rtf: float = 0.1,
        said: Sequence[tuple[str, str]] = tuple(SAID),
        spec: TrialSpec = SPEC,
        status: TrialStatus = TrialStatus.OK,
        corpus: str = "c",
    ) -> str:
        """Prepare a run, and return its name."""
        end = OK if status is TrialStatus.OK else ended(status, "it fell over\n    | more")
        run = write_run(self.tree.folder / "made", [(spec, played(spec, said, rtf=rtf), end)])
        inputs = {"embedded": Input("/corpus", 7, corpus * 64)}
        run.info = msgspec.structs.replace(run.info, inputs=inputs)
        run.save()
        shutil.move(run.path, self.tree.folder / name)
        return name

    def will(self, *names: str) -> None:
        (self.tree.folder / "order.json").write_text(json.dumps(names))
