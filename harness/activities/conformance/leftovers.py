"""Rule about the end: a closed provider leaves no process running. It is tried last."""

import asyncio
import os

import psutil

from harness.activities.conformance.rig import MIC, SESSION, ContractRig, require, rule
from harness.processes.descendants import MARK, descendants

WITHIN_S = 3.0
LOOK_EVERY_S = 0.1


@rule
async def nothing_is_left_behind(rig: ContractRig) -> None:
    # A worker's processes all belong to the provider; elsewhere, only those started from here on.
    before = set() if MARK in os.environ else {process.pid for process in _processes()}
    await rig.listen(rig.speech[0], MIC)
    await rig.provider.stop_session(SESSION)
    rig.closed = True
    await rig.provider.close()
    left: list[psutil.Process] = []
    for _ in range(round(WITHIN_S / LOOK_EVERY_S)):
        left = [process for process in _processes() if process.pid not in before]
        if not left:
            return
        await asyncio.sleep(LOOK_EVERY_S)
    names = ", ".join(f"{_name(process)} ({process.pid})" for process in left)
    require(not left, f"{WITHIN_S:g} s after close there is still {names}")


def _processes() -> list[psutil.Process]:
    """Processes that this one started, also those that have left its tree."""
    own = psutil.Process()
    found = {process.pid: process for process in own.children(recursive=True)}
    for process in descendants(os.environ.get(MARK, ""), own.create_time()):
        found.setdefault(process.pid, process)
    return [process for process in found.values() if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return "a process"
