"""Kills processes that write a journal, at random moments: run by `test_journal_disk`.

Each child goes on with the journal that the one before left, and passes on the key of each trial
that `JournalWriter.end` has returned from. Those keys are printed. Every other child dies in the
middle of a trial, and the rest at any moment after their second: mostly while they wait for the
disk.
"""

import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

from harness.contract import AudioSource
from harness.journal.events import ChunkDone, TrialEnded, TrialStarted, encode
from harness.journal.journal import JournalWriter
from harness.specs.trial import TrialStatus
from tests.trials import spec_of

KILLS = 30
EVENTS = 500
SPEC = spec_of("null", "nothing")


def write_for_ever(path: Path, name: str, confirm: int, dies_in: int | None) -> None:
    """Write trials, and confirm each when the disk has it; die in the one of that number."""
    writer = JournalWriter(path)
    for number in count():
        key = f"{name}.{number}"
        dies_at = random.randrange(200, EVENTS) if number == dies_in else None
        writer.begin(TrialStarted(key=key, spec=SPEC))
        for chunk in range(EVENTS):
            writer.append(encode(ChunkDone(source=AudioSource.MIC, chunk=chunk, at_s=0.5)))
            if chunk == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
        writer.end(TrialEnded(status=TrialStatus.OK))
        os.write(confirm, f"{key}\n".encode())


def main() -> None:
    path = Path(sys.argv[1])
    random.seed(1)
    for kill in range(KILLS):
        read_end, write_end = os.pipe()
        dies_in = random.randrange(4) if kill % 2 else None
        child = os.fork()
        if child == 0:
            write_for_ever(path, str(kill), write_end, dies_in)
        os.close(write_end)
        with os.fdopen(read_end) as confirmed:
            if dies_in is None:
                sys.stdout.writelines(confirmed.readline() for _ in range(2))
                time.sleep(random.uniform(0.0, 0.06))
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            sys.stdout.write(confirmed.read())


if __name__ == "__main__":
    main()
