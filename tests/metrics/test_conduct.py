"""The forbidden side effects's figures, and the provider's word held against the clock."""

import msgspec
import pytest

from harness.contract import ASRHealth
from harness.journal.events import Event, Sampled, SideEffects
from harness.metrics import METRICS, Measurement
from tests.metrics.logs import MIC, SYSTEM, chunk, chunks, log_of, sampled


def of(name: str, *events: Event) -> Measurement:
    return METRICS[name](log_of(*events))


def at(at_s: float, **changes: object) -> Sampled:
    return msgspec.structs.replace(sampled(at_s), **changes)


def test_what_a_session_does_at_its_start_is_its_own_business() -> None:
    acts = [
        SideEffects(spawns=1),
        SideEffects(spawns=3, files_created=2),
        SideEffects(spawns=3, files_created=2),
        SideEffects(spawns=8, files_created=2, references_read=1),
    ]
    samples = [at(3.0 * number, side_effects=each) for number, each in enumerate(acts)]
    assert of("process_spawns", *samples).value == 5
    assert of("files_created", *samples).value == 0
    assert of("references_read", *samples).value == 1
    assert of("process_spawns", *samples[:2]).absent


def test_work_outside_the_tree_is_per_second_of_audio() -> None:
    samples = [at(2.0 * n, detached_cpu_s=0.5 * n) for n in range(6)]
    assert of("detached_cpu", *chunks([0.1] * 10), *samples).value == pytest.approx(0.25)


def test_stalls_are_those_of_each_second_but_the_first() -> None:
    samples = [at(float(n), stall_s=stall_s) for n, stall_s in enumerate((3.0, 0.001, 0.2))]
    assert of("loop_stall", *samples).samples == (0.001, 0.2)


def test_half_of_the_time_is_half_of_the_claim() -> None:
    honest = chunks([0.2] * 10)
    assert of("reported_inference_share", *honest).value == pytest.approx(1.0)
    halved = [msgspec.structs.replace(event, end_s=event.begin_s + 0.1)  # type: ignore[attr-defined]
              if type(event).__name__ == "Inferred" else event for event in honest]  # fmt: skip
    assert of("reported_inference_share", *halved).value == pytest.approx(0.5)


def test_two_sources_and_idle_providers_are_not_judged() -> None:
    two = log_of(*chunk(0, 1.0), *chunk(0, 1.0, source=SYSTEM), starts_s={MIC: 0.0, SYSTEM: 0.0})
    assert METRICS["reported_inference_share"](two).absent
    assert of("reported_inference_share", *chunks([0.001] * 10)).absent


def test_health_is_compared_with_what_was_measured() -> None:
    health = ASRHealth(realtime_factor=0.11, avg_infer_ms=110.0, backlog_estimate=0,
                       model_resident=True)  # fmt: skip
    claims = at(10.0, health=health)
    assert of("health_error", *chunks([0.1] * 10), claims).value == pytest.approx(0.1)
    assert of("health_error", *chunks([0.1] * 10), at(10.0)).absent
