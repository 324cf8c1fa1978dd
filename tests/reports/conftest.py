"""Runs to report on: one that was really measured, and one with everything that can go wrong."""

import pytest

from harness.activities.conformance import RULES
from harness.journal.run_folder import Input, RunFolder
from harness.specs.options import Options
from harness.specs.trial import Activity, TrialStatus
from tests.reports.journals import OK, checked, ended, make_spec, played, write_run
from tests.trials import run_of, scenario_of, spec_of

DURATION_S = 20.0
INPUTS = tuple("hgfedcba")


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Twenty seconds of the embedded corpus, recognised by the embedded model in a worker."""
    folder = RunFolder.create(tmp_path_factory.mktemp("runs"), Options(providers=("whisper_cpp",)))
    spec = spec_of("whisper_cpp", "embedded", scenario=scenario_of(DURATION_S))
    (record,) = run_of([spec], folder.journal)
    assert record.ended is not None
    assert record.ended.status is TrialStatus.OK, record.ended.reason
    folder.finish()
    return folder


@pytest.fixture(scope="session")
def mixed_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Trials that pass, miss a word error rate, drop, crash, break a rule, and never ended."""
    said = [("one two three", "one two three"), ("four five", "four five")]
    wrong = [("one two three", "one too three"), ("four five", "five six")]
    good, slow, bad = (make_spec(name) for name in ("good", "slow", "bad"))
    crashed, broken_off = make_spec("crashed"), make_spec("broken_off")
    contract = make_spec("good", activity=Activity.CONFORMANCE)
    first, *others = RULES
    folder = write_run(
        tmp_path_factory.mktemp("runs"),
        [
            (good, played(good, said, silent=(4, 5)), OK),
            (slow, played(slow, said, rtf=0.9, drop_every=7), OK),
            (bad, played(bad, wrong), OK),
            (crashed, played(crashed, said)[:90],
             ended(TrialStatus.PROVIDER_CRASH, "killed by SIGSEGV\n    | assertion failed")),
            (contract, checked([(first, "said <nothing>")], others), OK),
            (broken_off, played(broken_off, said)[:70], None),
        ],
    )  # fmt: skip
    inputs = {name: Input(f"/{name}", 7, f"{name}-hash") for name in INPUTS}
    folder.begin(folder.info.options, ["good", "slow"], inputs)
    return folder
