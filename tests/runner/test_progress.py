"""The line of the trial that is running fits into the terminal, whatever its name is made of."""

import msgspec
import pytest
from rich.cells import cell_len

from harness.runner.progress import TrialLine
from harness.specs.trial import TrialSpec
from tests.trials import spec_of

WIDTH = 60


class Screen:
    """A terminal of some columns."""

    fullwidth = WIDTH

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, msg: str, *, flush: bool = False) -> None:
        self.lines.append(msg)


@pytest.mark.parametrize("model", ["a-model-" * 10, "模型" * 20, "m" * 7 + "型" * 19])
def test_a_line_is_cut_to_the_columns_of_the_terminal(model: str) -> None:
    spec: TrialSpec = msgspec.structs.replace(spec_of("null", "none"), model=model)
    screen = Screen()
    TrialLine(screen, live=True).trial_begins(spec, 1, 3)
    (line,) = screen.lines
    shown = line.removeprefix("\r\x1b[K")
    assert WIDTH - 3 <= cell_len(shown) < WIDTH
    assert shown.startswith("[1/3] null-")
    assert shown.endswith("…  loading")
