"""Average lagging, against SimulEval's own scorers and against what can be said by hand.

`simuleval.jsonl` holds 24 random cases with what SimulEval 1.1.4's `ALScorer` and `LAALScorer` make
of them. It isn't a dependency: its package brings plugins into pytest and pins old versions.
"""

import json
import math
from pathlib import Path

import pytest

from harness.metrics import METRICS
from harness.metrics.lagging import lagging_s
from tests.metrics.logs import log_of, said, spoken

CASES = [json.loads(line) for line in
         (Path(__file__).parent / "simuleval.jsonl").read_text().splitlines()]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["source_ms"]))
def test_simuleval_finds_the_same(case: dict[str, float | list[float]]) -> None:
    delays, source = case["delays_ms"], case["source_ms"]
    assert isinstance(delays, list)
    assert isinstance(source, int)
    reference = int(case["reference_words"])  # type: ignore[arg-type]
    assert lagging_s(delays, source, reference) == pytest.approx(case["al_ms"])
    longer = max(reference, len(delays))
    assert lagging_s(delays, source, longer) == pytest.approx(case["laal_ms"])


def test_the_ideal_is_one_word_behind() -> None:
    """Wait-1 on evenly spoken words: each is shown when the next begins (Ma et al. 2019)."""
    assert lagging_s([1.0, 2.0, 3.0, 4.0], 4.0, 4) == pytest.approx(1.0)


def test_words_are_timed_by_when_they_were_first_shown() -> None:
    """Four words in two seconds; two shown at 1 s, two more half a second after the end."""
    log = log_of(
        spoken("open the green door", 10.0),
        said(11.0, "open the", 0),
        said(12.5, "open the green door", 0, final=True, t0=10.0, t1=12.0),
    )
    expected = lagging_s([1.0, 1.0, 2.5, 2.5], 2.0, 4)
    assert METRICS["average_lagging"](log).samples == pytest.approx((expected,))
    assert METRICS["length_adaptive_average_lagging"](log).samples == pytest.approx((expected,))


def test_saying_too_much_pays_by_one_measure_only() -> None:
    log = log_of(
        spoken("open it", 0.0), said(1.5, "open it now or never", final=True, t0=0.0, t1=1.0)
    )
    (plain,), (adaptive,) = (
        METRICS["average_lagging"](log).samples or (),
        METRICS["length_adaptive_average_lagging"](log).samples or (),
    )
    assert plain <= adaptive


def test_saying_nothing_is_infinitely_behind() -> None:
    assert METRICS["average_lagging"](log_of(spoken("open it", 0.0))).samples == (math.inf,)
    assert METRICS["length_adaptive_average_lagging"](log_of()).absent
