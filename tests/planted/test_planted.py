"""Each planted defect is seen by the threshold that is there for it, and sound providers pass.

One seed here; `make trust` tries twenty, and two hundred sound trials.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.journal.events import ChunkDone, ChunkTaken
from harness.metrics import TrialLog
from harness.specs.trial import Activity, TrialStatus
from harness.statistics import percentile
from harness.verdicts.thresholds import FILE, read_thresholds
from harness.verdicts.verdict import VerdictLevel
from tests.planted.controls import CONTROLS, Control
from tests.planted.defects import DEFECTS, Defect, Ground, Plant, measured
from tests.planted.trust import Sight, try_defect

pytestmark = pytest.mark.slow

SEED = 3


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground.lay(tmp_path_factory.mktemp("ground"))


@pytest.fixture(scope="module")
def sights(
    stand_ins: None, ground: Ground, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Sight]]:
    folder = tmp_path_factory.mktemp("defects")
    with ThreadPoolExecutor(2) as threads:
        tried = threads.map(lambda defect: try_defect(defect, [SEED], ground, folder), DEFECTS)
        yield {defect.number: seen[0] for defect, seen in zip(DEFECTS, tried, strict=True)}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.number}-{defect.seen_by}")
def test_a_planted_defect_is_seen_where_it_must_be(
    defect: Defect, sights: dict[int, Sight]
) -> None:
    sight = sights[defect.number]
    assert sight.caught, f"{defect.seen_by} is {sight.value}, limit {sight.limit}"


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    "control",
    [control for control in CONTROLS if not control.busy and control.plant.duration_s < 2000],
    ids=lambda control: control.what,
)
def test_a_sound_provider_is_called_sound(
    control: Control, ground: Ground, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spec = control.plant.spec(ground, SEED)
    folder = tmp_path_factory.mktemp("control")
    (result,) = measured([spec], folder / "journal.jsonl").values()
    assert result.status is TrialStatus.OK, result.reason
    failed = [verdict for verdict in result.verdicts.values() if verdict.level is VerdictLevel.FAIL]
    assert not failed
    judged = [verdict for verdict in result.verdicts.values() if verdict.value is not None]
    assert len(judged) >= 8


@pytest.mark.usefixtures("stand_ins")
def test_a_stall_hides_from_who_counts_from_the_providers_own_start(
    ground: Ground, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The control of defect 12: counted from when the provider took a chunk, p99 sees nothing."""
    stalls = next(defect for defect in DEFECTS if defect.number == 12)
    spec = stalls.plant.spec(ground, SEED)
    folder = tmp_path_factory.mktemp("stall")
    (result,) = measured([spec], folder / "journal.jsonl").values()
    log = TrialLog(spec, result.record.events)
    begun = {event.chunk: event.at_s for event in log.of(ChunkTaken)}
    held_s = [event.at_s - begun[event.chunk] for event in log.of(ChunkDone)]
    assert max(held_s) > 3
    assert percentile(held_s, 0.985) < 0.5
    assert (result.measurements["chunk_latency"].statistic("p99") or 0) > 2


def test_every_defect_names_a_threshold_or_a_rule_that_exists() -> None:
    thresholds = read_thresholds(FILE)
    for defect in DEFECTS:
        if defect.plant.activity is not Activity.CONFORMANCE:
            assert defect.seen_by in thresholds
    assert sorted([8, *(defect.number for defect in DEFECTS)]) == list(range(1, 26))
    assert all(isinstance(defect.plant, Plant) for defect in DEFECTS)
