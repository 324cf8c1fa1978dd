"""Any program of sleeps and jobs takes the time that a reference model says.

The model is a max-plus recursion. A task's step begins when its step before has ended. A sleep
ends its length later. Jobs take turns on one thread in the order in which they came, so a job
begins when it was handed in and the job before it has ended, and ends its own length later.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import clock
from harness.clock import ClockKind, now_s
from tests.clock.test_clock import virtual_loop
from tests.profiles import examples

UNIT_S = 50.0
"""Sleeps are whole multiples, so that a skip too early or too late stands out from all noise."""
SLACK_S = 5.0
"""What the whole program may take more than the model says, on a machine with neighbours."""


@dataclass(frozen=True)
class Sleep:
    units: int


@dataclass(frozen=True)
class Job:
    length_s: float


Step = Sleep | Job
Program = list[list[Step]]
programs: st.SearchStrategy[Program] = st.lists(
    st.lists(
        st.one_of(
            st.builds(Sleep, st.integers(0, 40)),
            st.builds(Job, st.sampled_from([0.0, 0.001, 0.004])),
        ),
        max_size=8,
    ),
    min_size=1,
    max_size=5,
)


@dataclass
class Done:
    """A step that was done: when it ended, and for a job how long it really took, and its turn."""

    task: int
    step: int
    end_s: float
    length_s: float = 0.0


async def perform(program: Program) -> list[Done]:
    """Run a program, and return its steps in the order in which they ended."""
    origin_s = now_s()
    done: list[Done] = []
    lengths: dict[tuple[int, int], float] = {}
    with ThreadPoolExecutor(1) as thread:

        def job(length_s: float, task: int, step: int) -> None:
            begin_s = time.monotonic()
            time.sleep(length_s)
            lengths[task, step] = time.monotonic() - begin_s

        async def follow(task: int, steps: list[Step]) -> None:
            for number, step in enumerate(steps):
                if isinstance(step, Sleep):
                    await asyncio.sleep(step.units * UNIT_S)
                    length_s = step.units * UNIT_S
                else:
                    await virtual_loop().run_in_executor(thread, job, step.length_s, task, number)
                    length_s = lengths[task, number]
                done.append(Done(task, number, now_s() - origin_s, length_s))

        await asyncio.gather(*(follow(task, steps) for task, steps in enumerate(program)))
    return done


def model_ends_s(program: Program, done: list[Done]) -> dict[tuple[int, int], float]:
    """When each step should have ended, given how long each job really took, and their order."""
    ends_s: dict[tuple[int, int], float] = {}
    thread_free_s = 0.0
    for this in done:
        begin_s = ends_s.get((this.task, this.step - 1), 0.0)
        if isinstance(program[this.task][this.step], Job):
            begin_s = max(begin_s, thread_free_s)
            thread_free_s = begin_s + this.length_s
        ends_s[this.task, this.step] = begin_s + this.length_s
    return ends_s


@pytest.mark.alone
@pytest.mark.slow
@given(programs)
@settings(max_examples=examples(150))
def test_every_step_ends_when_the_model_says(program: Program) -> None:
    done = clock.run(perform(program), ClockKind.VIRTUAL)
    assert len(done) == sum(len(steps) for steps in program)
    ends_s = model_ends_s(program, done)
    for this in done:
        late_s = this.end_s - ends_s[this.task, this.step]
        assert -1e-6 <= late_s < SLACK_S, this
    for before, after in pairwise(done):
        assert ends_s[before.task, before.step] < ends_s[after.task, after.step] + SLACK_S
