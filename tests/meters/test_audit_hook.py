"""What is done behind the harness' back is counted; hooks can't be removed, so in a child."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.journal.events import SideEffects

CHILD = """
import sys
from pathlib import Path
from harness.meters.audit_hook import AUDIT_HOOK
AUDIT_HOOK.install()
AUDIT_HOOK.keep_secret([Path(sys.argv[1])])
{deeds}
acts = AUDIT_HOOK.side_effects()
print(acts.spawns, acts.files_created, acts.references_read)
"""


def acts_of(deeds: str, secret: Path) -> SideEffects:
    run = subprocess.run(
        [sys.executable, "-c", CHILD.format(deeds=deeds), str(secret)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    spawns, files, references = map(int, run.stdout.split())
    return SideEffects(spawns=spawns, files_created=files, references_read=references)


@pytest.mark.parametrize(
    ("deeds", "acts"),
    [
        ("", SideEffects()),
        ("import subprocess; [subprocess.run(['true']) for _ in range(3)]", SideEffects(spawns=3)),
        ("import os; os.fork() or os._exit(0)", SideEffects(spawns=1)),
        ("open(sys.argv[1] + '.wav', 'wb').close()", SideEffects(files_created=1)),
        ("import threading\nt = threading.Thread(target=open, args=('/dev/null', 'rb'))\n"
         "t.start(); t.join()", SideEffects()),
        ("open(sys.argv[1] + '/manifest.jsonl').read()", SideEffects(references_read=1)),
        ("import os; os.chdir(sys.argv[1]); open('manifest.jsonl').read()",
         SideEffects(references_read=1)),
        ("open(sys.argv[1] + '-not').read()", SideEffects()),
    ],
)  # fmt: skip
def test_deeds_are_counted(deeds: str, acts: SideEffects, tmp_path: Path) -> None:
    secret = tmp_path / "corpus"
    secret.mkdir()
    (secret / "manifest.jsonl").write_text("{}")
    (tmp_path / "corpus-not").write_text("")
    assert acts_of(deeds, secret) == acts
