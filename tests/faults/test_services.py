"""Faults of network services through real workers and the real command line; and no key is left."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from harness.errors import UsageError
from harness.journal.events import Loaded
from harness.provider.choice import choose_providers
from harness.provider.timeouts import Timeouts
from harness.specs.trial import TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult, evaluate
from harness.verdicts.thresholds import FILE, read_thresholds
from harness.verdicts.verdict import VerdictLevel
from tests.faults.command_line import CommandLine
from tests.trials import run_of, write_corpus
from tests.vendors.lanes import KEY
from tests.vendors.loopback import Loopback, loopback
from tests.vendors.trials import LEXICON, SENTENCES, VENDORS, Case, spec_for

pytestmark = pytest.mark.slow

HASTY = {"answer_s": 2.0, "attempts": 2}
CASES = [
    Case("openai_api", "realtime", "unauthorized"),
    Case("openai_api", "realtime", "rate_limited"),
    Case("openai_api", "file", "never_finishes", HASTY, duration_s=3.0),
    Case("voxtral_api", "realtime", "garbage", duration_s=3.0),
    Case("voxtral_api", "file", "breaks_once", duration_s=3.0),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), SENTENCES)


@pytest.fixture(scope="module")
def services() -> Iterator[Loopback]:
    with loopback(LEXICON) as services, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        patch.setenv("MISTRAL_API_KEY", KEY)
        yield services


@pytest.fixture(scope="module")
def results(
    services: Loopback, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[TrialResult]]:
    """Measure each case twice, at two chunk sizes, in workers of its own."""
    folder = tmp_path_factory.mktemp("runs")

    def run(case: Case) -> list[TrialResult]:
        spec = spec_for(case, services, corpus, services.lane(case.lane))
        specs = [spec, msgspec.structs.replace(spec, chunk_seconds=1.0)]
        records = run_of(specs, folder / f"{case.name}.jsonl", Timeouts(answer_s=30))
        assert KEY.encode() not in (folder / f"{case.name}.jsonl").read_bytes()
        return list(evaluate(records, read_thresholds(FILE)).values())

    with ThreadPoolExecutor(3) as threads:
        return {
            case.name: results for case, results in zip(CASES, threads.map(run, CASES), strict=True)
        }


def lane_of(spec: TrialSpec) -> str:
    return str(spec.settings["base_url"]).split("/")[3]


def test_a_refused_key_is_tried_once_in_a_run(
    results: dict[str, list[TrialResult]], services: Loopback
) -> None:
    first, second = results["openai_api-realtime-unauthorized"]
    for result in (first, second):
        assert result.status is TrialStatus.UNSUPPORTED
        assert "refused the key" in result.reason
        assert "OPENAI_API_KEY" in result.reason
    assert len(services.seen[lane_of(first.spec)].requests) == 1


def test_waits_before_the_first_utterance_are_part_of_the_start(
    results: dict[str, list[TrialResult]],
) -> None:
    result = results["openai_api-realtime-rate_limited"][0]
    assert result.status is TrialStatus.OK, result.reason
    (loaded,) = [event for event in result.record.events if isinstance(event, Loaded)]
    assert [wait.attempt for wait in loaded.interruptions] == [1, 2]
    start_s = result.measurements["startup_time"].value
    assert start_s is not None
    assert start_s >= 2.0


def test_a_lost_connection_is_flagged(results: dict[str, list[TrialResult]]) -> None:
    broken, sound = results["voxtral_api-file-breaks_once"]
    assert broken.status is sound.status is TrialStatus.OK
    assert broken.verdicts["interruptions"].level is VerdictLevel.WARN
    assert sound.verdicts["interruptions"].level is VerdictLevel.PASS
    assert broken.measurements["wer"].value == 0.0


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("openai_api-file-never_finishes", TrialStatus.TIMEOUT, "no final 2 s after"),
        ("voxtral_api-realtime-garbage", TrialStatus.BAD_OUTPUT, "invalid JSON"),
    ],
)
def test_a_fault_ends_both_trials_in_its_status(
    name: str, status: TrialStatus, says: str, results: dict[str, list[TrialResult]]
) -> None:
    for result in results[name]:
        assert result.status is status
        assert says in result.reason
        assert not result.measurements


def test_the_key_is_in_nothing_that_a_run_leaves_behind(
    services: Loopback, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if the service quotes it, the SDK talks about all it does, and trials fail."""
    monkeypatch.setenv("OPENAI_LOG", "debug")
    asked = [
        f"{name}:mode=file:attempts=1:base_url={services.url(services.lane(lane), VENDORS[name])}"
        for name, lane in (("openai_api", "fails"), ("voxtral_api", "sound"))
    ]
    bench = CommandLine(
        tmp_path / "runs",
        [
            "--provider",
            ",".join(asked),
            "--corpus",
            str(corpus),
            "--duration",
            "3",
            "--scenario",
            "A",
        ],
    )
    bench.start()
    assert bench.finish() == 1, bench.output
    assert "the service failed (HTTP 500: An error about …)" in bench.output
    assert re.search(r"voxtral_api\S* 2s +\S", bench.output)
    left = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert {"journal.jsonl", "run.json"} <= {path.name for path in left}
    assert [path for path in left if KEY.encode() in path.read_bytes()] == []
    assert KEY not in bench.output


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (f"api_key={KEY}", "api_key"),
        (f"base_url=https://user:{KEY}@host/v1", "name=value"),
        (f"base_url=https://{KEY}@host/v1", "with a user"),
        (f"base_url=https://host/v1?key={KEY}", "a query"),
        (f"base_url={KEY}", "allowed: https://host/path"),
        ("attempts=0", "attempts"),
    ],
)
def test_a_key_can_not_be_given_as_an_option(option: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        choose_providers([f"openai_api:{option}"])
    assert KEY not in str(caught.value)


def test_a_key_in_the_wrong_place_leaves_no_run(corpus: Path, tmp_path: Path) -> None:
    arguments = ["--provider", f"openai_api:api_key={KEY}", "--corpus", str(corpus)]
    bench = CommandLine(tmp_path / "runs", arguments)
    bench.start()
    assert bench.finish() == 4
    assert "api_key" in bench.output
    assert KEY not in bench.output
    assert not (tmp_path / "runs").exists()


def test_without_a_key_it_says_which_and_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    says = "lacks a key in MISTRAL_API_KEY: export MISTRAL_API_KEY=…"
    with pytest.raises(UsageError, match=says):
        choose_providers(["voxtral_api"])
