"""A test that must be alone is, and waits for no longer than those that were before it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.turns import turn

HOLD_S = 0.05


def test_others_run_side_by_side_and_one_runs_alone(tmp_path: Path) -> None:
    inside: set[int] = set()
    most_shared, company, lock = 0, 0, threading.Lock()

    def one(number: int) -> None:
        nonlocal most_shared, company
        alone = number % 4 == 3
        with turn(tmp_path, alone):
            with lock:
                inside.add(number)
                if alone:
                    company += len(inside) - 1
                else:
                    most_shared = max(most_shared, len(inside))
            time.sleep(HOLD_S)
            with lock:
                if alone:
                    company += len(inside) - 1
                inside.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(16)))
    assert company == 0
    assert most_shared >= 2


def test_who_waits_to_be_alone_is_overtaken_by_no_other(tmp_path: Path) -> None:
    order: list[str] = []
    first_is_in, first_may_go = threading.Event(), threading.Event()

    def first() -> None:
        with turn(tmp_path, alone=False):
            first_is_in.set()
            first_may_go.wait(30)

    def enter(name: str, alone: bool) -> None:
        with turn(tmp_path, alone):
            order.append(name)

    with ThreadPoolExecutor(3) as threads:
        running = threads.submit(first)
        assert first_is_in.wait(30)
        waiting = threads.submit(enter, "alone", True)
        time.sleep(HOLD_S)  # by now it waits at the room
        late = threads.submit(enter, "late", False)
        time.sleep(HOLD_S)
        assert order == []
        first_may_go.set()
        for each in (running, waiting, late):
            each.result(30)
    assert order == ["alone", "late"]
